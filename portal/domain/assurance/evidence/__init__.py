"""Evidence: its kinds, each with its definition and its check, and the judgements made on it."""
