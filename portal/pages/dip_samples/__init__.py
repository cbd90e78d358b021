"""Pages of dip samples: record, list, import, and what the counts show."""
