"""Pages of the assurance desk."""
