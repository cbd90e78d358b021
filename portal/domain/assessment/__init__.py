"""Attempts at assessments: drawing of items, responses, submission and marking."""
