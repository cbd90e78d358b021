"""Pages of exercises."""
