"""Returns: signed aggregates that forces send to a coordinating unit, and what it makes of them."""
