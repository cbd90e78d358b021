"""Reading runs: who runs them, their steps, and what the syndicates wrote.

Screens ask once a second. Whether something is new is read by one statement, ``find_run``: the steps up to
the newest, and what the exercise holds, never change, and are kept in this process.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BigInteger, Exists, Integer, String, and_, bindparam, exists, func, or_, select

from portal.domain.events.models import Booking, RegisterEntry
from portal.domain.exercises.content import ExerciseContent, Inject
from portal.domain.exercises.models import ExerciseRun, ExerciseVersion, LogEntry, RunStep
from portal.domain.exercises.running.clock import PastStep
from portal.domain.exercises.running.progress import Progress, is_for, read_progress
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer
from portal.platform.db import clock_at, db, read
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

NO_RUN = "There is no such exercise, or you have no place in it."
_HIGHEST_SYNDICATE = 999  # that is looked up: an address may have any number


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as one person meets it, and how far its steps and logs have come."""

    person_id: int  # who looks
    may_control: bool  # and leads its plenary
    id: int
    recorded_at: datetime
    reference: str
    kind: str
    event_id: int | None
    version_id: int
    syndicates: int
    opened_by_id: int
    newest_step: int  # 0 for none
    newest_entry: int  # of the syndicate that was asked for, or of all; 0 for none
    own_syndicate: int | None  # of the person, where they are booked at its event
    has_place: bool  # they are booked at its event, or were seen there

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing is kept of it, and no audit event says what was done in it."""
        return self.kind == "rehearsal"

    @property
    def has_own_scribe(self) -> bool:
        """Whether whoever opened it writes, as at a table with one laptop."""
        return self.kind == "table_top"

    def may_see(self, syndicate: int) -> bool:
        """Whether the person may open the page of a syndicate."""
        return 1 <= syndicate <= self.syndicates and (self.may_control or syndicate == self.own_syndicate)

    def syndicates_for(self, inject: Inject) -> list[int]:
        """The syndicates of the run for which an inject is meant."""
        return [number for number in range(1, self.syndicates + 1) if is_for(number, inject)]

    def may_write(self, syndicate: int) -> bool:
        """Whether the person may be the scribe of a syndicate: one of its own, or whoever tries it out."""
        if self.kind == "event":
            return syndicate == self.own_syndicate and syndicate <= self.syndicates
        return self.may_see(syndicate)

    def is_scribe(self, syndicate: int, progress: Progress) -> bool:
        """Whether the person writes for a syndicate now."""
        return self.has_own_scribe or progress.scribes.get(syndicate) == self.person_id


def is_in_register(person_id: Any) -> Exists:
    """Whether the register of a run's event has a person as there; for a statement that reads runs."""
    return exists().where(
        RegisterEntry.event_id == ExerciseRun.event_id,
        RegisterEntry.person_id == person_id,
        RegisterEntry.kind.in_(("present", "late")),
    )


_PERSON = bindparam("person_id", type_=BigInteger)
_NEWEST_STEP = select(func.max(RunStep.id)).where(RunStep.run_id == ExerciseRun.id).scalar_subquery()
_OF_SYNDICATE = bindparam("syndicate", type_=Integer)
_NEWEST_ENTRY = (
    select(func.max(LogEntry.id))
    .where(LogEntry.run_id == ExerciseRun.id, or_(_OF_SYNDICATE == 0, LogEntry.syndicate == _OF_SYNDICATE))
    .scalar_subquery()
)
_GLANCE = (
    select(
        ExerciseRun.id,
        ExerciseRun.recorded_at,
        ExerciseRun.reference,
        ExerciseRun.kind,
        ExerciseRun.event_id,
        ExerciseRun.exercise_version_id,
        ExerciseRun.syndicates,
        ExerciseRun.opened_by_id,
        func.coalesce(_NEWEST_STEP, 0),
        func.coalesce(_NEWEST_ENTRY, 0),
        Booking.syndicate,
        or_(Booking.id.is_not(None), is_in_register(_PERSON)).label("has_place"),
    )
    .outerjoin(
        Booking,
        and_(
            Booking.event_id == ExerciseRun.event_id,
            Booking.person_id == _PERSON,
            Booking.state == "booked",
        ),
    )
    .where(ExerciseRun.reference == bindparam("reference", type_=String))
)
_STEPS = (
    select(
        RunStep.id,
        RunStep.kind,
        RunStep.recorded_at,
        clock_at(RunStep.recorded_at),
        RunStep.inject_key,
        RunStep.syndicate,
        RunStep.text,
        RunStep.person_id,
        RunStep.by_id,
    )
    .where(RunStep.run_id == bindparam("run_id"), RunStep.id <= bindparam("newest"))
    .order_by(RunStep.id)
)


def find_run(reference: str, viewer: Viewer, syndicate: int = 0) -> RunView:
    """The run with a reference, as the viewer meets it; one statement.

    Args:
        reference: Such as EX-0001.
        viewer: Who asks.
        syndicate: The one whose newest log entry is wanted; 0: of all.

    Raises:
        NotFoundError: There is none, or the viewer neither runs it nor has a place in it.
    """
    values = {"reference": reference, "person_id": viewer.person_id, "syndicate": syndicate}
    rows = read(_GLANCE, values) if syndicate <= _HIGHEST_SYNDICATE else []
    if not rows:
        raise NotFoundError(NO_RUN)
    row = rows[0]
    may_control = _may_control(viewer, row.kind, row.opened_by_id)
    if not may_control and not row.has_place:
        raise NotFoundError(NO_RUN)
    return RunView(viewer.person_id, may_control, *row)


def _may_control(viewer: Viewer, kind: str, opened_by_id: int) -> bool:
    """Whether somebody runs it: any facilitator, so another takes over at once; at a table its opener."""
    if kind == "table_top":
        return opened_by_id == viewer.person_id
    return Permission.EXERCISE_RUN in viewer.permissions


@dataclass(frozen=True, slots=True)
class RunningExercise:
    """What a version of an exercise says on every screen."""

    title: str
    minutes: int
    content: ExerciseContent


@lru_cache(maxsize=16)
def exercise_of(version_id: int, _run_recorded_at: datetime) -> RunningExercise:
    """The published exercise of a run; the run's stamp tells it from one of another database."""
    version = db.session.get_one(ExerciseVersion, version_id)
    return RunningExercise(version.title, version.minutes, cast(ExerciseContent, version.content))


@lru_cache(maxsize=256)
def _list_kept_steps(run_id: int, _run_recorded_at: datetime, newest: int) -> tuple[PastStep, ...]:
    return tuple(PastStep(*row) for row in read(_STEPS, {"run_id": run_id, "newest": newest}))


def forget_runs() -> None:
    """Empty what this process keeps; for tests, whose databases give the same numbers."""
    exercise_of.cache_clear()
    _list_kept_steps.cache_clear()


def list_steps(run: RunView) -> tuple[PastStep, ...]:
    """The steps of a run, in order, up to those of its glance."""
    return _list_kept_steps(run.id, run.recorded_at, run.newest_step) if run.newest_step else ()


def exercise_in(run: RunView) -> RunningExercise:
    """The exercise that a run is of."""
    return exercise_of(run.version_id, run.recorded_at)


def progress_of(run: RunView, now: datetime) -> Progress:
    """What is on the screens of a run now."""
    return read_progress(exercise_in(run).content["injects"], list_steps(run), now)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a decision log; ``corrects_id`` always names the first of a chain."""

    id: int
    key: Any
    syndicate: int
    kind: str
    inject_key: str
    question_key: str
    answer: dict[str, Any]
    corrects_id: int | None
    by_id: int
    recorded_at: datetime
    at: datetime  # by the machine's clock


def list_entries(run_id: int, syndicate: int = 0) -> list[Entry]:
    """The entries of a syndicate's log, or of all for 0, in order; one statement."""
    columns = (
        LogEntry.id,
        LogEntry.key,
        LogEntry.syndicate,
        LogEntry.kind,
        LogEntry.inject_key,
        LogEntry.question_key,
        LogEntry.answer,
        LogEntry.corrects_id,
        LogEntry.by_id,
        LogEntry.recorded_at,
        clock_at(LogEntry.recorded_at),
    )
    statement = select(*columns).where(LogEntry.run_id == run_id).order_by(LogEntry.id)
    if syndicate:
        statement = statement.where(LogEntry.syndicate == syndicate)
    return [Entry(*row) for row in db.session.execute(statement)]


def list_names(people: set[int]) -> dict[int, str]:
    """Forenames and surname by person, without people whose names were erased. One statement."""
    names = select(PersonName.person_id, PersonName.full_name).where(PersonName.person_id.in_(people))
    return {person_id: name for person_id, name in db.session.execute(names)}
