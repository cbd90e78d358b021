"""Editing a module's files. Pure: bytes and values in, bytes out; what says the same keeps its bytes."""
