"""A folder on the server into which other systems put files."""
