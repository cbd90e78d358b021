"""The force's answer in words: Markdown with fields that fill from the desk at any position."""
