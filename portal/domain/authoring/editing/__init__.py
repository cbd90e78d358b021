"""Edits a module's files: pure functions over bytes, which keep the bytes of unchanged values."""
