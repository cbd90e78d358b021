"""The fictional force, made from a seed; refuses to run in production. No person in it exists."""
