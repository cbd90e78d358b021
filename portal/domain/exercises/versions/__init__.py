"""Published versions of exercises: publishing, proposals by a second person, and queries."""
