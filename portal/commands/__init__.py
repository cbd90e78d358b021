"""Commands: a file for each group."""
