"""The desk's forms: one file a page or two. What they refuse they say beside the field, and keep as typed."""
