"""(n) A nation on PostgreSQL: 43 forces, 250,000 people, 1,000,000 assigned requirements."""
