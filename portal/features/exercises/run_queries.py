"""Reading runs: who runs them, their steps, and what the syndicates wrote.

Screens ask once a second. Whether something is new is read by one statement, ``find_run``: the steps up to
the newest, and what the exercise holds, never change, and are kept in this process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict, cast

from sqlalchemy import BigInteger, Exists, Integer, String, and_, bindparam, exists, func, or_, select

from portal.domain.people.models import PersonName
from portal.domain.people.visibility import Viewer
from portal.features.events.models import Booking, RegisterEntry
from portal.features.exercises.feature import RUN
from portal.features.exercises.models import ExerciseRun, ExerciseVersion, LogEntry, RunStep
from portal.features.exercises.sources import ExerciseContent, Inject, InjectQuestion
from portal.platform.db import clock_at, db, read
from portal.platform.errors import NotFoundError, RuleError

# The exercise's clock, computed from the steps of a run. Pure; the time is an argument.
#
# The clock runs from the start on, and stands while it is held, in the plenary and after the end. It
# counts by what the machine's clock said at each step. Where that clock was set back, the exercise's
# clock waits: it is never less than at the latest step, so no inject leaves the screens, and it goes on
# from the next step.

NOTHING = timedelta(0)
MOST_BEHIND = timedelta(seconds=5)  # of the machine's clock: two machines of one database differ by less


class Phase(StrEnum):
    """The phase of a run."""

    READY = "ready"
    RUNNING = "running"
    HELD = "held"
    PLENARY = "plenary"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step of a run, as ``RunStep``, with what the machine's clock said."""

    id: int
    kind: str
    recorded_at: datetime
    clock_at: datetime
    inject_key: str = ""
    syndicate: int = 0
    text: str = ""
    person_id: int | None = None
    by_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time in which the exercise's clock ran, and what it said before."""

    starts_at: datetime
    ends_at: datetime
    elapsed_before: timedelta


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The exercise's clock at an instant."""

    phase: Phase
    elapsed: timedelta
    stretches: tuple[Stretch, ...]
    is_waiting: bool  # stands still because the machine's clock was set back to before the latest step

    def instant_of(self, minute: int) -> datetime | None:
        """The instant at which the clock reached a minute; None: it has not yet."""
        target = timedelta(minutes=minute)
        for stretch in self.stretches:
            if stretch.elapsed_before + (stretch.ends_at - stretch.starts_at) >= target:
                return stretch.starts_at + max(target - stretch.elapsed_before, NOTHING)
        return None


@dataclass(slots=True)
class _RunState:
    started: bool = False
    is_held: bool = False
    plenary: bool = False
    ended: bool = False

    def apply_step(self, kind: str) -> None:
        self.started |= kind == "start"
        self.ended |= kind == "end"
        if kind in ("hold", "resume"):
            self.is_held = kind == "hold"
        if kind in ("plenary", "back"):
            self.plenary = kind == "plenary"

    @property
    def phase(self) -> Phase:
        if self.ended:
            return Phase.ENDED
        if not self.started:
            return Phase.READY
        if self.plenary:
            return Phase.PLENARY
        return Phase.HELD if self.is_held else Phase.RUNNING


def read_clock(steps: Sequence[PastStep], now: datetime) -> ClockReading:
    """Read the clock of a run from its steps, in their order."""
    state, elapsed = _RunState(), NOTHING
    stretches: list[Stretch] = []
    ends = [*(next_step.clock_at for next_step in steps[1:]), now]
    for step, ends_at in zip(steps, ends, strict=False):
        state.apply_step(step.kind)
        if state.phase is Phase.RUNNING:
            stretches.append(Stretch(step.clock_at, max(ends_at, step.clock_at), elapsed))
            elapsed += max(ends_at - step.clock_at, NOTHING)
    is_waiting = bool(steps) and state.phase is Phase.RUNNING and steps[-1].clock_at - now > MOST_BEHIND
    return ClockReading(state.phase, elapsed, tuple(stretches), is_waiting)


def read_phase(steps: Sequence[PastStep]) -> Phase:
    """Read the phase of a run from its steps, in their order."""
    state = _RunState()
    for step in steps:
        state.apply_step(step.kind)
    return state.phase


def minute_of(steps: Sequence[PastStep], recorded_at: datetime, at: datetime) -> int | None:
    """Whole minutes of the exercise's clock at which something was recorded; None before the start.

    Args:
        steps: Of the run, in order.
        recorded_at: The stamp of what was recorded; it says after which steps.
        at: What the machine's clock said then.
    """
    reading = read_clock([step for step in steps if step.recorded_at <= recorded_at], at)
    return None if reading.phase is Phase.READY else int(reading.elapsed.total_seconds() // 60)


# What each step, and an entry of a log, needs; a step that asks for what holds already does nothing.
_ALLOWED = {
    "start": frozenset({Phase.READY}),
    "hold": frozenset({Phase.RUNNING}),
    "resume": frozenset({Phase.HELD}),
    "plenary": frozenset({Phase.RUNNING, Phase.HELD}),
    "back": frozenset({Phase.PLENARY}),
    "release": frozenset({Phase.RUNNING, Phase.HELD, Phase.PLENARY}),
    "message": frozenset({Phase.READY, Phase.RUNNING, Phase.HELD, Phase.PLENARY}),
    "scribe": frozenset({Phase.READY, Phase.RUNNING, Phase.HELD, Phase.PLENARY}),
    "entry": frozenset({Phase.RUNNING, Phase.HELD, Phase.PLENARY}),
    "end": frozenset({Phase.READY, Phase.RUNNING, Phase.HELD, Phase.PLENARY}),
}
_HOLDS_IN = {
    "start": frozenset({Phase.RUNNING, Phase.HELD, Phase.PLENARY}),
    "hold": frozenset({Phase.HELD}),
    "resume": frozenset({Phase.RUNNING}),
    "plenary": frozenset({Phase.PLENARY}),
    "back": frozenset({Phase.RUNNING, Phase.HELD}),
    "end": frozenset({Phase.ENDED}),
}


def is_allowed(kind: str, phase: Phase) -> bool:
    """Whether a step of this kind may be taken in a phase, or an ``entry`` written."""
    return phase in _ALLOWED[kind]


def holds_already(kind: str, phase: Phase) -> bool:
    """Whether a run is already in the phase to which a step of this kind leads: it was pressed before."""
    return phase in _HOLDS_IN.get(kind, frozenset())


# What is on the screens of a run at an instant: released injects, messages and scribes. Pure.
#
# A timed release is computed from the clock, so nothing has to be written when it is due, and a restart
# or a lost network changes nothing. What was seen is noted as a step soon after: then it stays on the
# screens even if the machine's clock is set back.


class Release(NamedTuple):
    """When an inject was released, and in which order."""

    at: datetime  # by the machine's clock
    order: datetime  # by the stamps
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What follows from the steps and the clock of a run at an instant."""

    clock: ClockReading
    releases: Mapping[str, Release]  # to every syndicate that gets the inject
    own_releases: Mapping[tuple[int, str], Release]  # by hand, to one syndicate
    unnoted: tuple[str, ...]  # released by the clock, and no step says so yet
    messages: tuple[PastStep, ...]
    scribes: Mapping[int, int]  # the person who writes, by syndicate

    @property
    def phase(self) -> Phase:
        """The phase of the run."""
        return self.clock.phase

    def has_inject(self, syndicate: int, inject: Inject) -> bool:
        """Whether a syndicate has an inject on its screen."""
        return self.release_to(syndicate, inject) is not None

    def release_to(self, syndicate: int, inject: Inject) -> Release | None:
        """When a syndicate got an inject, alone or with all: the first of both."""
        own_release = self.own_releases.get((syndicate, inject["key"]))
        shared_release = self.releases.get(inject["key"]) if is_for(syndicate, inject) else None
        return min(
            filter(None, (own_release, shared_release)), key=lambda release: release.order, default=None
        )

    def messages_to(self, syndicate: int) -> tuple[PastStep, ...]:
        """The messages that a syndicate got, in order; those to all for 0."""
        return tuple(step for step in self.messages if step.syndicate in (0, syndicate))


def is_for(syndicate: int, inject: Inject) -> bool:
    """Whether an inject is meant for a syndicate; for 0: for all."""
    return not inject["syndicates"] or syndicate in inject["syndicates"]


def read_progress(injects: Sequence[Inject], steps: Sequence[PastStep], now: datetime) -> Progress:
    """Read what is on the screens now.

    Args:
        injects: Of the exercise, in order.
        steps: Of the run, in order.
        now: By the machine's clock.
    """
    clock = read_clock(steps, now)
    releases: dict[str, Release] = {}
    own_releases: dict[tuple[int, str], Release] = {}
    for step in steps:
        if step.kind == "release":
            release = Release(step.clock_at, step.recorded_at, step.by_id is not None)
            if step.syndicate:
                own_releases.setdefault((step.syndicate, step.inject_key), release)
            else:
                releases.setdefault(step.inject_key, release)
    unnoted = []
    for inject in injects:
        if inject["minute"] is None or inject["key"] in releases:
            continue
        released_at = clock.instant_of(inject["minute"])
        if released_at is not None:
            releases[inject["key"]] = Release(released_at, released_at, by_hand=False)
            unnoted.append(inject["key"])
    return Progress(
        clock,
        releases,
        own_releases,
        tuple(unnoted),
        tuple(step for step in steps if step.kind == "message"),
        {step.syndicate: step.person_id for step in steps if step.kind == "scribe" and step.person_id},
    )


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
    return RUN in viewer.permissions


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


# Reads what a syndicate writes into its decision log from a form, and checks it by its question. Pure.

LONGEST = 5_000  # characters of a decision, and of its reason
MISSING = {
    "decision": "Enter your decision.",
    "text": "Enter your answer.",
    "choice": "Choose an answer.",
    "ranking": "Give every choice a place of its own.",
}


class LogAnswer(TypedDict, total=False):
    """An entry's answer, as ``LogEntry.answer`` keeps it."""

    text: str
    choice: str
    order: list[str]
    reason: str


def find_question(content: ExerciseContent, key: str) -> tuple[str, InjectQuestion]:
    """The key of the inject that asks a question, and the question."""
    for inject in content["injects"]:
        for question in inject["questions"]:
            if question["key"] == key:
                return inject["key"], question
    raise RuleError("This exercise has no such question. Open the page again.")


def read_answer(question: InjectQuestion | None, fields: Mapping[str, str]) -> LogAnswer:
    """The answer that a form's fields give to a question; for None a decision of the syndicate's own.

    The fields are ``text``, ``choice``, ``reason`` and ``place-`` with a choice's key.
    """
    kind = question["kind"] if question else "decision"
    answer: LogAnswer = {}
    if question and kind == "choice":
        answer["choice"] = fields.get("choice", "")
        if answer["choice"] not in {choice["key"] for choice in question["choices"]}:
            raise RuleError(MISSING[kind])
    elif question and kind == "ranking":
        answer["order"] = _read_order(question, fields)
    else:
        answer["text"] = _read_text(fields, "text", "What you wrote")
        if not answer["text"]:
            raise RuleError(MISSING[kind])
    if question is None or question["reason"]:
        answer["reason"] = _read_text(fields, "reason", "Your reason")
        if not answer["reason"]:
            raise RuleError("Enter your reason.")
    return answer


def _read_text(fields: Mapping[str, str], name: str, label: str) -> str:
    text = fields.get(name, "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        raise RuleError(f"{label} has {len(text):,} characters. Use {LONGEST:,} or fewer.")
    return text


def _read_order(question: InjectQuestion, fields: Mapping[str, str]) -> list[str]:
    keys = [choice["key"] for choice in question["choices"]]
    key_by_position = {fields.get(f"place-{key}", ""): key for key in keys}
    positions = [str(position) for position in range(1, len(keys) + 1)]
    if sorted(key_by_position) != sorted(positions):
        raise RuleError(MISSING["ranking"])
    return [key_by_position[position] for position in positions]


def words_of_answer(question: InjectQuestion | None, answer: Mapping[str, Any]) -> list[str]:
    """The answer as paragraphs: texts as they were written, choices by their key's safe inline HTML."""
    labels = {choice["key"]: choice["html"] for choice in question["choices"]} if question else {}
    if "choice" in answer:
        return [labels.get(answer["choice"], answer["choice"])]
    return [labels.get(key, key) for key in answer.get("order", ())]
