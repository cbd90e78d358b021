"""Pages: a folder for each first part of an address."""
