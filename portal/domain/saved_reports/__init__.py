"""Saved reports."""
