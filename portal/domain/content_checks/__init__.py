"""Checks of the content of modules and guides against the brief, as far as it can be counted."""
