"""What managers see and download."""
