"""Pages of items of the kind multiple."""
