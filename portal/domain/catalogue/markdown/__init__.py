"""Rendering of authors' Markdown as safe HTML."""
