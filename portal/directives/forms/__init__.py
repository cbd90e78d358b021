"""What the directives desk can be sent."""
