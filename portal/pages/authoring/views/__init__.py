"""The authoring pages: one file for a page or two, all on one blueprint."""

from portal.pages.authoring.views import (
    attempts,
    checks,
    dashboard,
    details,
    guides,
    history,
    item_text,
    items,
    lessons,
    media,
    module,
    preview,
    rebase,
    recall,
    review,
    sheets,
    statistics,
)
from portal.pages.authoring.views.blueprint import bp

__all__ = [
    "attempts",
    "bp",
    "checks",
    "dashboard",
    "details",
    "guides",
    "history",
    "item_text",
    "items",
    "lessons",
    "media",
    "module",
    "preview",
    "rebase",
    "recall",
    "review",
    "sheets",
    "statistics",
]
