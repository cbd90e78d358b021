"""Pages of the assurance desk: each file of views beside this one is named here."""

from portal.pages.assurance import (
    action_views,
    board_views,
    entry_views,
    evidence_views,
    history_views,
    judgement_views,
    mine_views,
    narrative_views,
    pack_views,
    plan_views,
    recommendation_views,
)
from portal.pages.assurance.blueprint import bp

__all__ = [
    "action_views",
    "board_views",
    "bp",
    "entry_views",
    "evidence_views",
    "history_views",
    "judgement_views",
    "mine_views",
    "narrative_views",
    "pack_views",
    "plan_views",
    "recommendation_views",
]
