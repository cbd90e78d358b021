"""What was done and earned, as facts."""
