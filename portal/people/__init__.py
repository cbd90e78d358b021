"""Who works here: people, units, posts and role grants."""
