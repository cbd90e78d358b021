"""Keeping the portal alive: health, backup and restore."""
