"""Takes steps of a run, makes scribes, and writes entries of decision logs.

Each form carries a key: sent twice, by a double click or after a lost answer, it takes effect once. The stamp
is taken first, so two people who press at once are served one after the other, and the second sees what the
first did.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select

from portal.domain.people.visibility import Viewer
from portal.features.events.models import Booking, Event, EventVersion
from portal.features.exercises.feature import RUN
from portal.features.exercises.models import (
    ExerciseRun,
    ExerciseVersion,
    LogEntry,
    PlenaryStatement,
    PlenaryVoter,
    RunAction,
    RunStep,
)
from portal.features.exercises.run_queries import (
    NO_RUN,
    LogAnswer,
    Phase,
    Progress,
    RunView,
    exercise_in,
    find_question,
    find_run,
    holds_already,
    is_allowed,
    is_in_register,
    list_names,
    progress_of,
)
from portal.features.exercises.versions import newest_version
from portal.platform.audit import log
from portal.platform.db import db, stamp
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError, require

LONGEST_MESSAGE = 2_000  # characters
CONTROL_KINDS = frozenset({"start", "hold", "resume", "release", "message", "plenary", "back", "end"})
_REFUSED = {
    Phase.READY: "The exercise has not begun yet.",
    Phase.RUNNING: "The exercise is going on.",
    Phase.HELD: "The exercise is held. Go on first.",
    Phase.PLENARY: "The plenary is on. Go back to the exercise first.",
    Phase.ENDED: "The exercise has ended.",
}


@dataclass(frozen=True, slots=True)
class StepRequest:
    """The step that a facilitator asks for."""

    kind: str
    inject_key: str = ""
    syndicate: int = 0  # of a message or a release; 0: to all
    text: str = ""


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """The entry that a scribe asks for."""

    answer: LogAnswer
    question_key: str = ""  # "" for a decision of their own
    corrects_id: int | None = None


def take_step(reference: str, viewer: Viewer, key: UUID, requested: StepRequest, at: datetime) -> bool:
    """Take a step of a run; the end of a rehearsal erases it.

    Returns:
        Whether the step was taken; False: it had no effect, or was taken before.
    """
    if requested.kind not in CONTROL_KINDS:
        raise NotFoundError("There is no such step.")
    stamp()
    run, requested = find_run(reference, viewer), _narrow_request(requested)
    if not run.may_control:
        raise ForbiddenError("Only a facilitator may do this.")
    progress = progress_of(run, at)
    if is_step_taken(run.id, key) or _has_no_effect(run, progress, requested):
        return False
    if not is_allowed(requested.kind, progress.phase):
        raise RuleError(_REFUSED[progress.phase])
    _check_request(run, requested)
    if requested.kind == "end" and run.is_rehearsal:
        erase_run(run.id)
        return True
    _note_releases(run, progress)
    add_step(run, key, requested, by_id=viewer.person_id)
    _log_step(run, requested)
    return True


def _narrow_request(requested: StepRequest) -> StepRequest:
    """Keep only the values that a step of its kind has, since whatever is stored stays for ever."""
    if requested.kind == "release":
        return StepRequest("release", requested.inject_key, requested.syndicate)
    if requested.kind == "message":
        return StepRequest("message", syndicate=requested.syndicate, text=requested.text)
    return StepRequest(requested.kind)


def is_step_taken(run_id: int, key: UUID) -> bool:
    """Whether the step with a form's key was taken before."""
    return bool(db.session.scalar(select(exists().where(RunStep.run_id == run_id, RunStep.key == key))))


def _has_no_effect(run: RunView, progress: Progress, requested: StepRequest) -> bool:
    if requested.kind == "release":
        is_released_alone = (requested.syndicate, requested.inject_key) in progress.own_releases
        return is_released_alone or requested.inject_key in progress.releases
    return holds_already(requested.kind, progress.phase)


def _check_request(run: RunView, requested: StepRequest) -> None:
    if requested.kind == "release":
        injects = {inject["key"]: inject for inject in exercise_in(run).content["injects"]}
        if requested.inject_key not in injects:
            raise RuleError("This exercise has no such inject. Open the page again.")
        if requested.syndicate and requested.syndicate not in run.syndicates_for(
            injects[requested.inject_key]
        ):
            raise RuleError("This inject is not for that syndicate. Open the page again.")
    if requested.kind == "message":
        if not requested.text.strip():
            raise RuleError("Enter the message.")
        if len(requested.text) > LONGEST_MESSAGE:
            raise RuleError(
                f"The message has {len(requested.text):,} characters. Use {LONGEST_MESSAGE:,} or fewer."
            )
        if not 0 <= requested.syndicate <= run.syndicates:
            raise RuleError("Choose a syndicate of this exercise.")


def add_step(
    run: RunView, key: UUID, requested: StepRequest, *, by_id: int | None, person_id: int | None = None
) -> None:
    """Add a step to a run, after the stamp was taken and all was checked."""
    step = RunStep(
        recorded_at=stamp(),
        run_id=run.id,
        key=key,
        kind=requested.kind,
        inject_key=requested.inject_key,
        syndicate=requested.syndicate,
        text=requested.text,
        person_id=person_id,
        by_id=by_id,
    )
    db.session.add(step)
    db.session.flush()


def _log_step(run: RunView, requested: StepRequest) -> None:
    if not run.is_rehearsal:
        log("exercise.step_taken", actor_id=run.person_id, reference=run.reference, step=requested.kind)


def note_releases(reference: str, viewer: Viewer, at: datetime) -> None:
    """Note as steps what the clock has released, so that it stays even if the machine's clock is set back.

    It says nothing new: every screen shows it already. Safe to repeat, and to leave undone.
    """
    stamp()
    run = find_run(reference, viewer)
    _note_releases(run, progress_of(run, at))


def _note_releases(run: RunView, progress: Progress) -> None:
    for inject_key in progress.unnoted:
        add_step(run, uuid4(), StepRequest("release", inject_key), by_id=None)


def become_scribe(reference: str, viewer: Viewer, syndicate: int, key: UUID, at: datetime) -> bool:
    """Make the viewer the scribe of their syndicate, in place of any other.

    Returns:
        Whether the scribe changed; False: the viewer is the scribe already.
    """
    stamp()
    run = _find_writable_run(reference, viewer, syndicate)
    progress = progress_of(run, at)
    if is_step_taken(run.id, key) or progress.scribes.get(syndicate) == viewer.person_id:
        return False
    if not is_allowed("scribe", progress.phase):
        raise RuleError(_REFUSED[progress.phase])
    requested = StepRequest("scribe", syndicate=syndicate)
    add_step(run, key, requested, by_id=viewer.person_id, person_id=viewer.person_id)
    _log_step(run, requested)
    return True


def _find_writable_run(reference: str, viewer: Viewer, syndicate: int) -> RunView:
    """Find a run in whose syndicate the viewer may write."""
    run = find_run(reference, viewer, syndicate)
    if not run.may_see(syndicate):
        raise NotFoundError(NO_RUN)
    if not run.may_write(syndicate):
        raise ForbiddenError("Only people of this syndicate may do this.")
    return run


def write_entry(
    reference: str, viewer: Viewer, syndicate: int, key: UUID, requested: EntryRequest, at: datetime
) -> bool:
    """Write an entry into a syndicate's log: an answer, a decision of their own, or a correction.

    Returns:
        Whether something was written: False where an entry with this key is there.
    """
    stamp()
    run = _find_writable_run(reference, viewer, syndicate)
    if db.session.scalar(select(exists().where(LogEntry.run_id == run.id, LogEntry.key == key))):
        return False
    progress = progress_of(run, at)
    if not is_allowed("entry", progress.phase):
        raise RuleError(_REFUSED[progress.phase])
    _check_scribe(run, progress, syndicate)
    inject_key = _check_entry(run, progress, syndicate, requested)
    kind = "correction" if requested.corrects_id else "answer" if requested.question_key else "decision"
    db.session.add(
        LogEntry(
            recorded_at=stamp(),
            run_id=run.id,
            key=key,
            syndicate=syndicate,
            kind=kind,
            inject_key=inject_key,
            question_key=requested.question_key,
            answer=dict(requested.answer),
            corrects_id=requested.corrects_id,
            by_id=viewer.person_id,
        )
    )
    if not run.is_rehearsal:
        log("exercise.entry_written", actor_id=viewer.person_id, reference=run.reference, entry=kind)
    return True


def _check_scribe(run: RunView, progress: Progress, syndicate: int) -> None:
    if run.is_scribe(syndicate, progress):
        return
    scribe = progress.scribes.get(syndicate)
    if scribe is None:
        raise RuleError("Become the scribe first. What you wrote is still here.")
    name = list_names({scribe}).get(scribe, "Somebody else")
    raise RuleError(f"{name} is the scribe now. What you wrote is still here: become the scribe to send it.")


def _check_entry(run: RunView, progress: Progress, syndicate: int, requested: EntryRequest) -> str:
    """Check an entry; return the key of its inject."""
    of_syndicate = (LogEntry.run_id == run.id, LogEntry.syndicate == syndicate)
    if requested.corrects_id:
        corrected = db.session.scalars(
            select(LogEntry).where(*of_syndicate, LogEntry.id == requested.corrects_id)
        ).one_or_none()
        if (
            corrected is None
            or corrected.corrects_id is not None
            or corrected.question_key != requested.question_key
        ):
            raise RuleError("There is no such entry to correct. Open the page again.")
        return corrected.inject_key
    if not requested.question_key:
        return ""
    inject_key, _ = find_question(exercise_in(run).content, requested.question_key)
    injects = {inject["key"]: inject for inject in exercise_in(run).content["injects"]}
    if not progress.has_inject(syndicate, injects[inject_key]):
        raise RuleError("Your syndicate does not have this question yet. Open the page again.")
    if db.session.scalar(
        select(exists().where(*of_syndicate, LogEntry.question_key == requested.question_key))
    ):
        raise RuleError(
            "This question was answered meanwhile. What you wrote is still here: correct the answer below it."
        )
    return inject_key


def erase_run(run_id: int) -> None:
    """Remove a rehearsal and all that it holds; the database refuses it of any other run."""
    db.session.execute(delete(LogEntry).where(LogEntry.run_id == run_id, LogEntry.corrects_id.is_not(None)))
    db.session.execute(
        delete(RunAction).where(RunAction.run_id == run_id, RunAction.withdraws_id.is_not(None))
    )
    for table in (PlenaryStatement, PlenaryVoter, RunAction, LogEntry, RunStep):
        db.session.execute(delete(table).where(table.run_id == run_id))
    db.session.execute(delete(ExerciseRun).where(ExerciseRun.id == run_id))


# Opening a run: at an event, at a table with one laptop, or as a rehearsal; and the runs one may open.

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
    """
    if requested.kind not in KINDS:
        raise RuleError("Choose how to open the exercise.")
    recorded_at = stamp()
    if requested.kind != "table_top" and RUN not in viewer.permissions:
        raise ForbiddenError("Only a facilitator may do this.")
    _erase_old_rehearsals(at)
    version = require(newest_version(requested.exercise_key), "There is no such exercise.")
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
    runs_all = RUN in viewer.permissions
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
