"""Pages of the force's units: the tree of today, and a name or a place from a day on."""
