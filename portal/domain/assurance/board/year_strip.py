"""A year of a recommendation: its state and its figure at each month end, as known then and as known now."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.reports.charts import LineChart
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.domain.reports.trend.trend import Point, month_ends
from portal.platform import clock

NOTHING = Share()


@dataclass(frozen=True, slots=True)
class StateAndShare:
    """A recommendation at one position.

    Attributes:
        state: One of ``JUDGEMENTS``.
        share: The figure of its first counted evidence; nobody of nobody where there is none.
        measure: The title of that evidence; "" where there is none.
    """

    state: str
    share: Share = NOTHING
    measure: str = ""


NO_ANSWER = StateAndShare("not_judged")


@dataclass(frozen=True, slots=True)
class Frame:
    """One month end of a year strip."""

    day: date
    then: StateAndShare | None  # as known on that day; None: the recommendation was not in the portal yet
    now: StateAndShare

    @property
    def differs(self) -> bool:
        """Whether more has become known of the day since."""
        return self.then != self.now and not (self.then is None and self.now == NO_ANSWER)


@dataclass(frozen=True, slots=True)
class YearStrip:
    """The frames of a recommendation, the earliest first; the last one is the board's own day."""

    key: str
    title: str
    frames: tuple[Frame, ...]

    @property
    def share_line(self) -> LineChart:
        """The figure over the months, as known now, as far as one thing was measured."""
        measure = self.frames[-1].now.measure
        return LineChart(
            [
                Point(frame.day, frame.now.share if frame.now.measure == measure else NOTHING)
                for frame in self.frames
            ]
        )

    @property
    def differing_frames(self) -> tuple[Frame, ...]:
        """The months of which more has become known since."""
        return tuple(frame for frame in self.frames if frame.differs)

    @property
    def state_runs(self) -> list[tuple[str, date, date]]:
        """Each state with the first and the last month end that it had without a break, as known now."""
        runs = []
        for state, frames in groupby(self.frames, key=lambda frame: frame.now.state):
            days = [frame.day for frame in frames]
            runs.append((state, days[0], days[-1]))
        return runs


def share_of(state: EvidenceState | None) -> Share:
    """The figure that a piece of evidence shows; nobody of nobody if it shows none."""
    if state is None or not state.total:
        return NOTHING
    return Share(state.reached or 0, state.total)


def list_positions(position: Position) -> list[tuple[Position, Position]]:
    """The positions of a year's month ends: as known then, and as known at the board's instant.

    The last pair is the board's own position twice.
    """
    pairs = []
    for day in month_ends(position.as_at):
        as_known_now = replace(position, as_at=day)
        end = clock.end_of_day(day)
        is_later = day == position.as_at or end >= position.as_known_on
        as_known_then = as_known_now if is_later else replace(as_known_now, as_known_on=end, latest=False)
        pairs.append((as_known_then, as_known_now))
    return pairs
