"""The force's plan to collect, analyse and share: written by its template, published by a second person."""
