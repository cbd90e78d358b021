"""Findings about a draft: the check's faults and advice, in words for authors."""
