"""Facts from other systems, in four steps: choose a file, match its columns, check, apply."""
