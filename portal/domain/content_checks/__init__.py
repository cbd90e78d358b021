"""Checks of a module's content: what the brief for modules asks, as far as it can be counted."""
