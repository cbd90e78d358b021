"""Editing of a module's files. Pure functions from bytes and values to bytes; unchanged values keep theirs."""
