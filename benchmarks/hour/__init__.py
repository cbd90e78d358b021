"""(h) The hour when everyone comes: 3,000 officers sign in, learn and pass beside downloads and bulk work."""
