"""Working through lessons."""
