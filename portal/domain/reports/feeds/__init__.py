"""Feeds: lists for other systems, at a position, read on from a key."""
