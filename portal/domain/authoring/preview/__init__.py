"""Previews of drafts as learners would see them."""
