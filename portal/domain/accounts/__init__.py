"""Accounts: signing in, passwords and role grants."""
