"""The exercise's clock, computed from the steps of a run. Pure; the time is an argument.

The clock runs from the start on, and stands while it is held, in the plenary and after the end. It counts by
what the machine's clock said at each step. Where that clock was set back, the exercise's clock waits: it is
never less than at the latest step, so no inject leaves the screens, and it goes on from the next step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
