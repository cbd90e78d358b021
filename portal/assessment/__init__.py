"""Attempts and their marking."""
