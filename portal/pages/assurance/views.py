"""Pages of the assurance desk: each file of views beside this one is named here."""

from portal.pages.assurance import (
    board_views,
    narrative_views,
    pack_views,
    recommendation_views,
)
from portal.pages.assurance.blueprint import bp

__all__ = [
    "board_views",
    "bp",
    "narrative_views",
    "pack_views",
    "recommendation_views",
]
