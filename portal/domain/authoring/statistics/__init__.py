"""Statistics of a module's items from submitted attempts."""
