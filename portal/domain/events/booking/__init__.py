"""Places at events: who has one, who waits, and which are kept for units."""
