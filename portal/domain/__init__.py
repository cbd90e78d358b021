"""The rules and the facts."""
