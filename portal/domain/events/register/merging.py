"""Merges the entries of a register into each person's state. Pure; the order of arrival does not matter.

So a device that was offline, a second facilitator and the portal itself agree as soon as each has all
entries; an entry that comes twice counts once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

KINDS = ("present", "late", "left_early", "not_here")
MEANS = ("code", "staff_number", "register")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARRIVALS = frozenset({"present", "late"})


@dataclass(frozen=True, slots=True)
class NotedEntry:
    """An entry that one device made about one person."""

    key: UUID
    person_id: int
    kind: str
    noted_at: datetime
    means: str


@dataclass(frozen=True, slots=True)
class RegisterState:
    """The current state of a person: the entry noted last, and how and when they last came."""

    kind: str
    noted_at: datetime
    came_by: str = ""  # the means of their arrival; "" if they are not here
    came_at: datetime | None = None

    @property
    def is_here(self) -> bool:
        """Whether the person is in the room now."""
        return self.kind in _ARRIVALS


@dataclass(frozen=True, slots=True)
class HeadCount:
    """How many are in the room by the register, and by which means they came."""

    here: int
    by_code: int
    by_staff_number: int
    by_register: int


def merge_entries(entries: Iterable[NotedEntry]) -> dict[int, RegisterState]:
    """The current state of each person with an entry, by person.

    Of two entries the one noted later holds; of two noted in the same millisecond, the one with the higher
    key. Who was marked as not here and then came, came by the later means.
    """
    merged: dict[int, RegisterState] = {}
    for entry in sorted(set(entries), key=_place_in_order):
        earlier = merged.get(entry.person_id)
        came_by, came_at = (earlier.came_by, earlier.came_at) if earlier else ("", None)
        if entry.kind == "not_here":
            came_by, came_at = "", None
        elif entry.kind in _ARRIVALS and not came_by:
            came_by, came_at = entry.means, entry.noted_at
        merged[entry.person_id] = RegisterState(entry.kind, entry.noted_at, came_by, came_at)
    return merged


def count_heads(presences: Mapping[int, RegisterState]) -> HeadCount:
    """Count who is in the room."""
    means = [presence.came_by for presence in presences.values() if presence.is_here]
    return HeadCount(len(means), *(means.count(way) for way in MEANS))


def _place_in_order(entry: NotedEntry) -> tuple[int, UUID, str, datetime]:
    millisecond = (entry.noted_at - _EPOCH) // timedelta(milliseconds=1)
    return millisecond, entry.key, entry.kind, entry.noted_at
