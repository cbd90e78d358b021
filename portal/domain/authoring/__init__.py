"""Drafts of modules and guides: editing, checking, previewing, reviewing and publishing."""
