"""Pages of My learning, modules and lessons."""
