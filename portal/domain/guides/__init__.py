"""Guides for their readers, and their acknowledgements."""
