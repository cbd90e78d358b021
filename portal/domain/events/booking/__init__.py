"""Places at events: who has one, who waits, and for whom places are kept."""
