"""What is due of a class, counted before anything goes; and the rows of one short step of a disposal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, literal, true

from portal.domain.retention import holds
from portal.domain.retention.account_stores import LEAVERS
from portal.domain.retention.event_stores import EVENTS
from portal.domain.retention.periods import newest_due_day
from portal.domain.retention.stores import Limit, People, Store
from portal.domain.retention.text_stores import CLARITY, COPIES, REQUESTS, TEXTS
from portal.domain.retention.trail_stores import ACCESS, AUDIT, IMPORTS, MAIL
from portal.platform.clock import london_day
from portal.platform.db import db

STORES: dict[str, tuple[Store, ...]] = {
    "leavers": LEAVERS,
    "texts": TEXTS,
    "copies": COPIES,
    "clarity": CLARITY,
    "requests": REQUESTS,
    "events": EVENTS,
    "access": ACCESS,
    "audit": AUDIT,
    "mail": MAIL,
    "imports": IMPORTS,
}


@dataclass(frozen=True, slots=True)
class StoreCount:
    """What is due of one store."""

    name: str
    rows: int  # that would go
    held: int  # due, but kept by a hold
    oldest_on: date | None  # on which the period of the oldest of both began


@dataclass(frozen=True, slots=True)
class ClassPreview:
    """What is due of a class on a day."""

    limit: Limit
    stores: list[StoreCount] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows would go."""
        return sum(store.rows for store in self.stores)

    @property
    def held(self) -> int:
        """How many rows are due and kept by a hold."""
        return sum(store.held for store in self.stores)

    @property
    def oldest_on(self) -> date | None:
        """The earliest day on which a period began."""
        return min((store.oldest_on for store in self.stores if store.oldest_on), default=None)


def preview_class(key: str, months: int, today: date) -> ClassPreview:
    """Count what is due of a class today. One statement for each store, and two for holds."""
    return count_due(key, Limit(newest_due_day(months, today)))


def count_due(key: str, limit: Limit) -> ClassPreview:
    """Count what is due of a class: rows whose period began on the limit's day or before."""
    people, is_held = _read_holds(key)
    return ClassPreview(limit, [_count_store(store, limit, people, is_held) for store in STORES[key]])


def _read_holds(key: str) -> tuple[People | None, bool]:
    """The people under a hold, and whether the whole class is."""
    return holds.held_people(), holds.is_class_held(key)


def _count_store(store: Store, limit: Limit, people: People | None, is_class_held: bool) -> StoreCount:
    due = store.due_rows(limit)
    is_held = true() if is_class_held else due.is_held(people)
    statement = due.source.with_only_columns(
        func.count(literal(1)), func.count(literal(1)).filter(is_held), func.min(due.began)
    )
    rows, held, oldest = db.session.execute(statement).one()
    day = london_day(oldest) if isinstance(oldest, datetime) else oldest
    return StoreCount(store.name, rows - held, held, day)


def list_due_keys(key: str, store: Store, limit: Limit, most: int, *, beyond: Any = None) -> Sequence[Any]:
    """The keys of at most so many due rows of a store that no hold keeps, in order.

    Args:
        key: Of the class.
        store: One of the class's.
        limit: The newest day of what is due.
        most: At most so many.
        beyond: Only keys greater than this one.
    """
    people, is_class_held = _read_holds(key)
    if is_class_held:
        return []
    due = store.due_rows(limit)
    statement = due.source.with_only_columns(due.key).where(~due.is_held(people))
    statement = statement if beyond is None else statement.where(due.key > beyond)
    return db.session.scalars(statement.order_by(due.key).limit(most)).all()
