"""Spans derived from facts."""

from portal.db import Touched


def lines(touched: Touched) -> None:
    """Bring spans up to date."""
