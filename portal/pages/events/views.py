"""All pages of events: each file adds its own to the blueprint when it is imported."""

from portal.pages.events import report_views
from portal.pages.events.blueprint import bp

__all__ = ["bp", "report_views"]
