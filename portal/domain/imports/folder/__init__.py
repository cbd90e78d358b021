"""Imports of the watched folder."""
