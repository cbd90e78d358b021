"""Pages of the assurance desk: each file of views beside this one is named here."""

from portal.pages.assurance import (
    plan_views,
)
from portal.pages.assurance.blueprint import bp

__all__ = [
    "bp",
    "plan_views",
]
