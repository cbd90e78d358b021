"""What is asked of a directive's owner about one person, and what is decided."""
