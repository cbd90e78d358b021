"""Spaced recall: three questions some time after a pass, for the learner alone."""
