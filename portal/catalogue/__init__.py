"""What can be learned: modules, their versions, lessons and items."""
