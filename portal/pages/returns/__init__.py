"""Pages of returns: a force's own, and those that a coordinating unit receives."""
