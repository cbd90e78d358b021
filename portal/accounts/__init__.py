"""How people get in: passwords, sign-in sessions, links."""
