"""Runs through the cases that lessons are: decisions with their reasons, and what colleagues decided."""
