"""Audit desk."""
