"""The views of all pages under /returns, imported so that their routes are there."""

from portal.pages.returns import (
    national_views,
    schema_views,
)
from portal.pages.returns.blueprint import bp

__all__ = [
    "bp",
    "national_views",
    "schema_views",
]
