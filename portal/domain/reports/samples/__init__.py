"""Dip samples beside what reports count of the same units."""
