"""Exercises: versions and their proposals."""
