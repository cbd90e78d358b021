"""The central resource: guides that can be searched, printed, and acknowledged."""
