"""Which spans a report reads: those of its position that its viewer may see, narrowed by filters.

Every number, page and file of a report goes through ``Reach.conditions``, so what may be seen is decided
here once, and a filter can only narrow it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select, true
from sqlalchemy.orm import aliased

from portal.monitoring.filters import Filters
from portal.monitoring.position import Position
from portal.people.models import PersonName, Post
from portal.people.queries import UnitRow, Viewer, live_units, sight
from portal.standing.models import StandingSpan

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """The instant as spans keep it: whole microseconds since 1970, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Reach:
    """What ``viewer`` may see at a position: everyone, the posts in some units, or direct reports."""

    position: Position
    units: dict[int, UnitRow]  # as they stood at the position
    everyone: bool
    unit_ids: frozenset[int]  # in and under the granted units, by the tree of the position
    manager_id: int | None
    names: tuple[str, ...]  # of the granted units today

    @classmethod
    def of(cls, viewer: Viewer, position: Position) -> "Reach":
        """The reach of the grants that ``viewer`` holds now, over the posts and the tree of the position."""
        seen = sight(viewer)
        units = live_units(position.as_at, position.as_known_on)
        unit_ids: set[int] = set()
        names: list[str] = []
        if seen.unit_ids:
            today = live_units(position.today)
            tops = [u for u in seen.unit_ids if u not in today or today[u].parent_id not in seen.unit_ids]
            unit_ids = under(units, *tops)
            names = sorted(today[unit_id].name for unit_id in tops if unit_id in today)
        ids = frozenset(unit_ids)
        return cls(position, units, seen.everyone, ids, seen.direct_reports_of, tuple(names))

    def conditions(self, span: Any, directive_id: int, filters: Filters | None = None) -> list[Any]:
        """What holds for every span that this viewer may be told of."""
        found = [*self._at_position(span, directive_id), self._seen(span)]
        if filters:
            found += self._narrowed(span, directive_id, filters)
        return found

    def unit_of(self, path: str) -> int | None:
        """The unit that has this path at the position; None where none has."""
        return next((unit_id for unit_id, unit in self.units.items() if unit.path == path), None)

    def _at_position(self, span: Any, directive_id: int) -> list[Any]:
        day, known = self.position.as_at.toordinal(), micros(self.position.as_known_on)
        return [
            span.directive_id == directive_id,
            span.from_on <= day,
            span.to_on >= day,
            span.known_from <= known,
            span.known_to > known,
        ]

    def _seen(self, span: Any) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = []
        if self.everyone:
            return true()
        if self.unit_ids:
            ways.append(span.unit_id.in_(sorted(self.unit_ids)))
        if self.manager_id is not None:
            ways.append(span.post_id.in_(select(Post.id).where(Post.line_manager_id == self.manager_id)))
        return or_(*ways) if ways else false()

    def _narrowed(self, span: Any, directive_id: int, filters: Filters) -> list[Any]:
        found: list[Any] = []
        if filters.unit:
            unit_id = self.unit_of(filters.unit)
            wanted = [] if unit_id is None else sorted(under(self.units, unit_id))
            found.append(span.unit_id.in_(wanted))
        if filters.role:
            found.append(span.post_id.in_(select(Post.id).where(Post.designated_role == filters.role)))
        if filters.rank:
            found.append(span.post_id.in_(select(Post.id).where(Post.rank_or_grade == filters.rank)))
        if filters.q:
            found.append(span.person_id.in_(select(PersonName.person_id).where(*named(filters.q))))
        if filters.status:
            whole = aliased(StandingSpan)
            found.append(
                span.person_id.in_(
                    select(whole.person_id).where(
                        *self._at_position(whole, directive_id),
                        whole.position == 0,
                        whole.status.in_([int(status) for status in filters.statuses]),
                    )
                )
            )
        return found


def named(text: str) -> list[ColumnElement[bool]]:
    """That every word of ``text`` stands in a person's names or staff number, in any case of letters."""
    columns = (PersonName.surname, PersonName.forenames, PersonName.staff_number)
    return [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in columns))
        for word in text.lower().replace(",", " ").split()
    ]


def under(units: dict[int, UnitRow], *tops: int) -> set[int]:
    """The units ``tops`` themselves and all units below them in the tree ``units``."""
    children: dict[int | None, list[int]] = {}
    for unit_id, unit in units.items():
        children.setdefault(unit.parent_id, []).append(unit_id)
    found, waiting = set(tops), list(tops)
    while waiting:
        below = [child for child in children.get(waiting.pop(), []) if child not in found]
        found.update(below)
        waiting.extend(below)
    return found
