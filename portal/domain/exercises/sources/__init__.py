"""Exercises as folders: reading, checking, rendering, and packing as a ZIP."""
