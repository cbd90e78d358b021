"""Opening a run: at an event, at a table with one laptop, or as a rehearsal; and the runs one may open."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from portal.domain.events.models import Booking, Event, EventVersion
from portal.domain.exercises.models import ExerciseRun, ExerciseVersion, RunStep
from portal.domain.exercises.running.queries import is_in_register
from portal.domain.exercises.running.services import erase_run
from portal.domain.exercises.versions.queries import newest_version
from portal.domain.people.queries import Viewer
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError
from portal.platform.permissions import Permission

KINDS = frozenset({"event", "table_top", "rehearsal"})
MOST_SYNDICATES = 12
REHEARSAL_LASTS = timedelta(days=1)  # then it is erased when another run is opened
SHOWN_FOR = timedelta(days=90)  # after a run ended at an event or a table
_HAS_ENDED = exists().where(RunStep.run_id == ExerciseRun.id, RunStep.kind == "end")
_NEWEST_OF_EVENT = (
    select(func.max(EventVersion.number))
    .where(EventVersion.event_id == Event.id)
    .correlate(Event)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The run that somebody asks to open."""

    exercise_key: str
    kind: str
    event_reference: str = ""  # of kind event
    syndicates: int = 1  # of kind rehearsal


@dataclass(frozen=True, slots=True)
class EventOffer:
    """An event at which an exercise can be run."""

    reference: str
    held_on: date
    syndicates: int


@dataclass(frozen=True, slots=True)
class ExerciseRunRow:
    """A run in a list, as one person meets it."""

    may_control: bool
    reference: str
    title: str
    kind: str
    opened_at: datetime
    ended: bool
    held_on: date | None
    syndicate: int | None  # of the person
    has_place: bool  # at its event


@dataclass(frozen=True, slots=True)
class EventRun:
    """A run at an event, as the event's page links to it."""

    reference: str
    title: str
    ended: bool


def open_run(viewer: Viewer, requested: RunRequest, at: datetime) -> str:
    """Open a run, or find the one that is open already, so that pressing twice opens one.

    Rehearsals that were begun a day ago or longer are erased.

    Returns:
        The reference of the run.

    Raises:
        ForbiddenError: Only a facilitator opens one at an event, or as a rehearsal.
        NotFoundError: There is no such exercise.
        RuleError: The event is cancelled or unknown, or the number of syndicates is out of range.
    """
    if requested.kind not in KINDS:
        raise RuleError("Choose how to open the exercise.")
    recorded_at = stamp()
    if requested.kind != "table_top" and Permission.EXERCISE_RUN not in viewer.permissions:
        raise ForbiddenError("Only a facilitator may do this.")
    _erase_old_rehearsals(at)
    version = newest_version(requested.exercise_key)
    if version is None:
        raise NotFoundError("There is no such exercise.")
    event_id, syndicates = _event_and_syndicates_of(requested)
    if open_reference := _find_open_run(viewer, requested.kind, version.id, event_id):
        return open_reference
    run = ExerciseRun(
        recorded_at=recorded_at,
        reference=_make_reference(requested.kind),
        exercise_version_id=version.id,
        event_id=event_id,
        kind=requested.kind,
        syndicates=syndicates,
        opened_by_id=viewer.person_id,
    )
    db.session.add(run)
    if requested.kind != "rehearsal":
        log("exercise.opened", actor_id=viewer.person_id, reference=run.reference, kind=requested.kind)
    return run.reference


def _event_and_syndicates_of(requested: RunRequest) -> tuple[int | None, int]:
    """The event of a run, if it has one, and its syndicates."""
    if requested.kind == "table_top":
        return None, 1
    if requested.kind == "rehearsal":
        if not 1 <= requested.syndicates <= MOST_SYNDICATES:
            raise RuleError(f"Enter a number of syndicates from 1 to {MOST_SYNDICATES}.")
        return None, requested.syndicates
    row = db.session.execute(
        select(Event.id, EventVersion.syndicates, EventVersion.cancelled)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .where(Event.reference == requested.event_reference)
        .order_by(EventVersion.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.cancelled:
        raise RuleError("Choose an event that is not cancelled.")
    return row.id, row.syndicates


def _find_open_run(viewer: Viewer, kind: str, version_id: int, event_id: int | None) -> str | None:
    """The run of an event that has not ended, whoever opened it; of another kind, the viewer's own."""
    is_same: ColumnElement[bool] = ExerciseRun.opened_by_id == viewer.person_id
    if event_id is not None:
        is_same = ExerciseRun.event_id == event_id
    return db.session.scalar(
        select(ExerciseRun.reference)
        .where(is_same, ExerciseRun.kind == kind, ExerciseRun.exercise_version_id == version_id, ~_HAS_ENDED)
        .order_by(ExerciseRun.id.desc())
        .limit(1)
    )


def _make_reference(kind: str) -> str:
    """Make the next reference in order; a random one for a rehearsal, so that none is used twice."""
    if kind == "rehearsal":
        return f"TRY-{secrets.token_hex(3).upper()}"
    statement = select(ExerciseRun.reference).where(ExerciseRun.kind != "rehearsal")
    newest = db.session.scalar(statement.order_by(ExerciseRun.id.desc()).limit(1))
    return f"EX-{1 + int((newest or 'EX-0').partition('-')[2]):04d}"


def _erase_old_rehearsals(at: datetime) -> None:
    old_rehearsals = select(ExerciseRun.id).where(
        ExerciseRun.kind == "rehearsal", ExerciseRun.recorded_at < at - REHEARSAL_LASTS
    )
    for run_id in db.session.scalars(old_rehearsals).all():
        erase_run(run_id)


def list_events_to_run(day: date) -> list[EventOffer]:
    """Events of this week at which an exercise can be run, soonest first."""
    rows = db.session.execute(
        select(Event.reference, EventVersion.held_on, EventVersion.syndicates)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .where(
            EventVersion.number == _NEWEST_OF_EVENT,
            EventVersion.cancelled.is_(False),
            EventVersion.held_on.between(day - timedelta(days=1), day + timedelta(days=7)),
        )
        .order_by(EventVersion.held_on, Event.reference)
    )
    return [EventOffer(*row) for row in rows]


def list_event_runs(event_id: int) -> list[EventRun]:
    """The runs at an event, the newest first. One statement."""
    rows = db.session.execute(
        select(ExerciseRun.reference, ExerciseVersion.title, _HAS_ENDED)
        .join(ExerciseVersion, ExerciseVersion.id == ExerciseRun.exercise_version_id)
        .where(ExerciseRun.event_id == event_id)
        .order_by(ExerciseRun.id.desc())
    )
    return [EventRun(*row) for row in rows]


def list_runs(viewer: Viewer, at: datetime) -> list[ExerciseRunRow]:
    """The runs that the viewer may open, newest first: their own, and all of them for a facilitator."""
    runs_all = Permission.EXERCISE_RUN in viewer.permissions
    is_own = and_(ExerciseRun.kind == "table_top", ExerciseRun.opened_by_id == viewer.person_id)
    by_others = ExerciseRun.kind != "table_top" if runs_all else _has_place(viewer.person_id)
    rows = db.session.execute(
        _select_runs(viewer.person_id)
        .where(or_(is_own, by_others), ExerciseRun.recorded_at > at - SHOWN_FOR)
        .order_by(ExerciseRun.id.desc())
    )
    return [ExerciseRunRow(runs_all or row.kind == "table_top", *row) for row in rows]


def _has_place(person_id: int) -> ColumnElement[bool]:
    return or_(Booking.id.is_not(None), is_in_register(person_id))


def _select_runs(person_id: int) -> Select[*tuple[Any, ...]]:
    """Runs, with the person's place at their events."""
    is_booked = and_(
        Booking.event_id == ExerciseRun.event_id, Booking.person_id == person_id, Booking.state == "booked"
    )
    return (
        select(
            ExerciseRun.reference,
            ExerciseVersion.title,
            ExerciseRun.kind,
            ExerciseRun.recorded_at,
            _HAS_ENDED,
            EventVersion.held_on,
            Booking.syndicate,
            _has_place(person_id),
        )
        .join(ExerciseVersion, ExerciseVersion.id == ExerciseRun.exercise_version_id)
        .outerjoin(Event, Event.id == ExerciseRun.event_id)
        .outerjoin(
            EventVersion, and_(EventVersion.event_id == Event.id, EventVersion.number == _NEWEST_OF_EVENT)
        )
        .outerjoin(Booking, is_booked)
    )
