"""What must be earned, by whom and by when."""
