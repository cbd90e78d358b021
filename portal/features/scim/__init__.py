"""SCIM 2.0: how what the force's provider says of users and groups becomes people, posts and role grants."""
