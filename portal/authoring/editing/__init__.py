"""Changing a module’s files and telling what changed. Pure: bytes and values in, bytes and values out."""
