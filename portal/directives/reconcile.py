"""Assignments derived from posts and directive versions."""

from portal.db import Touched


def reconcile(touched: Touched) -> None:
    """Bring assignments up to date."""
