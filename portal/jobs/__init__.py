"""What the portal does in the background: jobs, who runs them, and where each of them stands."""
