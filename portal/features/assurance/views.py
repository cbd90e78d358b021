"""Pages of the assurance desk: each file of views beside this one is named here."""

from portal.features.assurance import board_views, entry_views, evidence_views
from portal.features.assurance.forms import bp

__all__ = ["board_views", "bp", "entry_views", "evidence_views"]
