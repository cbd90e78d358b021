"""Dip samples of intelligence documents: counts by unit and month, never cases."""
