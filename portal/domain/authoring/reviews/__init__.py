"""Reviews of drafts, from sending to publishing."""
