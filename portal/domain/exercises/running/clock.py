"""The exercise's clock, counted from the steps of a run: a pure rule that asks neither database nor time.

The clock goes from the start on, and stands while it is held, in the plenary and after the end. It counts by
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
    """What a run is doing."""

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
    """A time in which the exercise's clock went, and what it said before."""

    since: datetime
    until: datetime
    before: timedelta


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the exercise's clock says at an instant."""

    phase: Phase
    elapsed: timedelta
    stretches: tuple[Stretch, ...]
    waits: bool  # the machine's clock was set back before the latest step, and so this one stands

    def instant_of(self, minute: int) -> datetime | None:
        """When the clock said this minute; None if it has not yet."""
        target = timedelta(minutes=minute)
        for stretch in self.stretches:
            if stretch.before + (stretch.until - stretch.since) >= target:
                return stretch.since + max(target - stretch.before, NOTHING)
        return None


@dataclass(slots=True)
class _RunState:
    started: bool = False
    held: bool = False
    plenary: bool = False
    ended: bool = False

    def take(self, kind: str) -> None:
        self.started |= kind == "start"
        self.ended |= kind == "end"
        if kind in ("hold", "resume"):
            self.held = kind == "hold"
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
        return Phase.HELD if self.held else Phase.RUNNING


def read_clock(steps: Sequence[PastStep], now: datetime) -> ClockReading:
    """What the clock of a run with these steps, in their order, says now."""
    state, elapsed = _RunState(), NOTHING
    stretches: list[Stretch] = []
    for step, until in zip(steps, [*(after.clock_at for after in steps[1:]), now], strict=False):
        state.take(step.kind)
        if state.phase is Phase.RUNNING:
            stretches.append(Stretch(step.clock_at, max(until, step.clock_at), elapsed))
            elapsed += max(until - step.clock_at, NOTHING)
    waits = bool(steps) and state.phase is Phase.RUNNING and steps[-1].clock_at - now > MOST_BEHIND
    return ClockReading(state.phase, elapsed, tuple(stretches), waits)


def read_phase(steps: Sequence[PastStep]) -> Phase:
    """What a run with these steps, in their order, is doing."""
    state = _RunState()
    for step in steps:
        state.take(step.kind)
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
    """Whether a phase is what a step of this kind would bring: somebody pressed it before."""
    return phase in _HOLDS_IN.get(kind, frozenset())
