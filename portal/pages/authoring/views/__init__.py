"""The authoring pages: one file for a page or two, all on one blueprint."""

from portal.pages.authoring.views import (
    checks,
    dashboard,
    details,
    guides,
    history,
    item_exchange,
    items,
    lessons,
    media,
    module,
    preview,
    rebase,
    review,
    sheets,
    statistics,
)
from portal.pages.authoring.views.draft_context import bp

__all__ = [
    "bp",
    "checks",
    "dashboard",
    "details",
    "guides",
    "history",
    "item_exchange",
    "items",
    "lessons",
    "media",
    "module",
    "preview",
    "rebase",
    "review",
    "sheets",
    "statistics",
]
