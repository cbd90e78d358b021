"""What is held about a person: which columns, why and how long, and a copy of all of it for that person."""
