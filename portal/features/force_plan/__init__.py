"""The force's plan to collect, analyse and share, which answers one of the recommendations."""
