"""What is to be reviewed: modules, guides, event types, and sources that nobody looked at for long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.domain.catalogue.archiving import archived_activities, offered_modules
from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.catalogue.queries import list_sources
from portal.domain.catalogue.sources.shared_files import SourceText
from portal.platform.db import db

NEAR = timedelta(days=28)  # how long before its day a review is told of
STALE = timedelta(days=365)  # after which a source is to be looked at again

_REVIEWED: tuple[tuple[str, type[ModuleVersion | GuideVersion | EventTypeVersion]], ...] = (
    ("module", ModuleVersion),
    ("guide", GuideVersion),
    ("event", EventTypeVersion),
)


@dataclass(frozen=True, slots=True)
class DueReview:
    """A module, guide or event type whose review date is past or near."""

    kind: str  # as in Activity.kind
    key: str
    title: str
    owner: str
    review_on: date


@dataclass(frozen=True, slots=True)
class StaleSource:
    """A source that was checked long ago, and what rests on it."""

    source: SourceText
    questions: tuple[tuple[str, int], ...]  # of modules offered: title, and how many questions cite it


def list_due_reviews(day: date) -> list[DueReview]:
    """The newest versions to be reviewed by ``day`` or soon after, the earliest first.

    Archived modules are left out. Four statements.
    """
    archived = archived_activities()
    rows = [
        (row.activity_id, DueReview(kind, row.key, row.title, row.owner, row.review_on))
        for kind, versions in _REVIEWED
        for row in db.session.execute(_select_newest(versions))
    ]
    due = [each for activity_id, each in rows if activity_id not in archived and each.review_on <= day + NEAR]
    return sorted(due, key=lambda each: (each.review_on, each.title))


def _select_newest(versions: type[ModuleVersion | GuideVersion | EventTypeVersion]) -> Any:
    newest = (
        select(versions.activity_id, func.max(versions.number).label("number"))
        .group_by(versions.activity_id)
        .subquery()
    )
    return (
        select(versions.activity_id, Activity.key, versions.title, versions.owner, versions.review_on)
        .join(Activity, Activity.id == versions.activity_id)
        .join(
            newest,
            (newest.c.activity_id == versions.activity_id) & (newest.c.number == versions.number),
        )
    )


def list_stale_sources(day: date) -> list[StaleSource]:
    """The published sources that were last checked a year before ``day`` or earlier, the oldest first."""
    stale = [source for source in list_sources() if source.checked_on <= day - STALE]
    if not stale:
        return []
    modules = offered_modules()
    return [
        StaleSource(source, tuple(_questions_citing(source.number, modules)))
        for source in sorted(stale, key=lambda each: each.checked_on)
    ]


def _questions_citing(number: str, modules: Sequence[ModuleVersion]) -> list[tuple[str, int]]:
    counts = [
        (version.title, sum(number in item.source for item in version.items if not item.retired))
        for version in modules
    ]
    return [(title, count) for title, count in counts if count]
