"""A learner's way through modules: progress, lessons, and My learning."""
