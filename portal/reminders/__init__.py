"""Mail to those who are asked to learn, and to their managers: planned, checked again, sent once."""
