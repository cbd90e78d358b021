"""Media files: recognition of their types, and the rules for drawings."""
