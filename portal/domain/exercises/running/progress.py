"""What is on the screens of a run at an instant: released injects, messages and scribes. Pure.

A timed release is computed from the clock, so nothing has to be written when it is due, and a restart or a
lost network changes nothing. What was seen is noted as a step soon after: then it stays on the screens even
if the machine's clock is set back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from portal.domain.exercises.content import Inject
from portal.domain.exercises.running.clock import ClockReading, PastStep, Phase, read_clock


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
