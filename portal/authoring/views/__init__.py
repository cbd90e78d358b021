"""The authoring desk's pages: one file a page or two, all on one blueprint."""

from portal.authoring.views import (
    attempts,
    bring_in,
    desk,
    details,
    guides,
    history,
    items,
    job_aid,
    lessons,
    media,
    module,
    preview,
    review,
    statistics,
)
from portal.authoring.views.blueprint import bp

__all__ = [
    "attempts",
    "bp",
    "bring_in",
    "desk",
    "details",
    "guides",
    "history",
    "items",
    "job_aid",
    "lessons",
    "media",
    "module",
    "preview",
    "review",
    "statistics",
]
