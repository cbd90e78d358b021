"""Audit of the item banks: whether somebody who has not read the lessons can pass."""
