"""Modules and guides: reading and checking of their sources, publishing, and published versions."""
