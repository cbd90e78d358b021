"""The views of all pages under /returns, imported so that their routes are there."""

from portal.pages.returns import (
    force_views,
    national_views,
    own_views,
    receiving_views,
    schema_views,
)
from portal.pages.returns.blueprint import bp

__all__ = [
    "bp",
    "force_views",
    "national_views",
    "own_views",
    "receiving_views",
    "schema_views",
]
