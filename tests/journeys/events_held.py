"""An event under way on a running server, written past the portal as its planning would have left it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from portal.platform.clock import london_day

FACILITATOR, SECOND = "D5001", "D4001"  # the second gets the role by `make_facilitator` alone
PEOPLE = ("D1001", "D2001", "D3001", "D6001")
_LATER = "9999-12-31"


@dataclass(frozen=True)
class EventUnderWay:
    """Its reference, and the booking of each person by staff number."""

    reference: str
    bookings: dict[str, int]


def hold_event(
    instance: Path,
    people: tuple[str, ...] = PEOPLE,
    *,
    reference: str = "EV-9001",
    begins_in: timedelta = timedelta(minutes=-1),
) -> EventUnderWay:
    """An event that began a minute ago; the last of the people is signed off, by the second."""
    with closing(sqlite3.connect(instance / "portal.sqlite", timeout=20)) as connection, connection:
        return _write_event(connection, people, reference, begins_in)


def make_facilitator(instance: Path, staff_number: str) -> None:
    """Give somebody the role of a facilitator, as of today."""
    at = datetime.now(UTC)
    with closing(sqlite3.connect(instance / "portal.sqlite", timeout=20)) as connection, connection:
        connection.execute(
            "INSERT INTO role_grant (person_id, role, valid_from, valid_to, given_at)"
            " SELECT person_id, 'facilitator', ?, ?, ? FROM person_name WHERE staff_number = ?",
            (london_day(at).isoformat(), _LATER, _text(at), staff_number),
        )


def _write_event(
    connection: sqlite3.Connection, people: tuple[str, ...], reference: str, begins_in: timedelta
) -> EventUnderWay:
    at = datetime.now(UTC)
    starts_at = at + begins_in
    now, day = _text(at), london_day(starts_at).isoformat()
    ids = dict(connection.execute("SELECT staff_number, person_id FROM person_name").fetchall())
    runs, second = ids[FACILITATOR], ids[SECOND]
    add = _Writer(connection)
    activity = add("activity", recorded_at=now, kind="event", key=f"held-{reference.lower()}")
    kind = add(
        "event_type_version", recorded_at=now, activity_id=activity, number=1, digest=reference, content=b"",
        title="Decisions at night", aim="Decide.", audience="Supervisors", owner="Training",
        review_on=_LATER, minutes=240, syndicate_least=2, syndicate_most=7, places_least=2, places_most=14,
        facilitators=1, approval=0, preparation="[]", published_at=now,
    )  # fmt: skip
    room = add("event_room", name=f"Room of {reference}", capacity=20, directions="", closed=0)
    event = add("event", recorded_at=now, reference=reference, activity_id=activity)
    version = add(
        "event_version", recorded_at=now, void=0, event_id=event, number=0, type_version_id=kind,
        starts_at=_text(starts_at), ends_at=_text(starts_at + timedelta(minutes=241)), held_on=day,
        room_id=room, syndicates=2, places=14, notes="", cancelled=0, reason="", changed_by_id=runs,
    )  # fmt: skip
    add("event_facilitator", event_version_id=version, person_id=runs)
    bookings = {
        number: add(
            "booking", asked_at=now, event_id=event, activity_id=activity, person_id=ids[number], sitting=0,
            state="booked", state_at=now, way="self", booked_by_id=ids[number], syndicate=1 + place % 2,
        )
        for place, number in enumerate(people)
    }  # fmt: skip
    add(
        "attendance_outcome", recorded_at=now, void=0, event_id=event, person_id=ids[people[-1]],
        outcome="absent", reason="sick", signed_off_by_id=second, signed_off_on=day,
    )  # fmt: skip
    return EventUnderWay(reference, bookings)


class _Writer:
    """Inserts rows by the names of their columns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, table: str, **values: Any) -> int:
        """The number of the new row."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        return self._connection.execute(statement, tuple(values.values())).lastrowid or 0


def _text(at: datetime) -> str:
    """An instant as the table keeps it."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
