"""Pages of items of the kind single."""
