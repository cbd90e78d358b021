"""All accounts at one place: how people sign in, since when, and where they are signed in."""
