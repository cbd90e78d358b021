"""Which returns have come: on time, late or not at all, and which were corrected."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.domain.returns.models import CoordinatedForce, ForceDetails, ForceReturn, ReturnPeriod
from portal.platform.db import db
from portal.platform.wording import date as say_date
from portal.platform.wording import month_words, plural


class ReceiptState(StrEnum):
    """What became of a force's return for a period."""

    ON_TIME = "on_time"
    LATE = "late"
    MISSING = "missing"
    AWAITED = "awaited"
    NOT_ASKED = "not_asked"


RECEIPT_WORDS = {
    ReceiptState.ON_TIME: "On time",
    ReceiptState.LATE: "Late",
    ReceiptState.MISSING: "Missing",
    ReceiptState.AWAITED: "Not due yet",
    ReceiptState.NOT_ASKED: "Not asked",
}


@dataclass(frozen=True, slots=True)
class NationalForce:
    """A force as it is at a position."""

    id: int
    key: str
    name: str
    headcount: int
    since: date  # the first day from which it is known as a force here


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """A month for which returns are asked, and the last day on which one is on time."""

    period: str
    due_on: date

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.period}-01")

    @property
    def words(self) -> str:
        """The month in words, such as "April 2026"."""
        return month_words(self.first_day)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One return that came: the force's own number of it, and the day."""

    return_id: int
    number: int
    received_on: date


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a force for a period, as far as it is known at a position.

    Attributes:
        state: By the day of the first arrival: a correction makes no return late.
        first: The arrival that came first; None: nothing has come.
        current: The arrival that counts: the highest number, in whatever order they came.
        corrections: How many arrivals there were after the first.
        days_late: Of the first arrival, or until the position's day where nothing has come.
    """

    state: ReceiptState
    first: Arrival | None = None
    current: Arrival | None = None
    corrections: int = 0
    days_late: int = 0

    @property
    def is_corrected(self) -> bool:
        """Whether what counts is not what came first."""
        return self.corrections > 0

    @property
    def words(self) -> str:
        """The state in words."""
        return RECEIPT_WORDS[self.state]

    @property
    def detail(self) -> str:
        """What there is to know beside the state; empty where that is all."""
        if self.first is None:
            return f"{plural(self.days_late, 'day')} overdue" if self.days_late else ""
        parts = [f"Received on {say_date(self.first.received_on)}"]
        if self.days_late:
            parts.append(f"{plural(self.days_late, 'day')} late")
        if self.corrections:
            times = "once" if self.corrections == 1 else f"{self.corrections} times"
            parts.append(f"corrected {times}")
        return ", ".join(parts)


def judge_receipt(due_on: date, as_at: date, arrivals: Iterable[Arrival], *, asked: bool = True) -> Receipt:
    """What became of a return. Pure.

    Args:
        due_on: The last day on which it is on time.
        as_at: The day of the position; arrivals after it have not come yet.
        arrivals: Of this force and period, in any order.
        asked: Whether the force was known when the return was due.
    """
    come = [arrival for arrival in arrivals if arrival.received_on <= as_at]
    if not come:
        if not asked:
            return Receipt(ReceiptState.NOT_ASKED)
        if as_at <= due_on:
            return Receipt(ReceiptState.AWAITED)
        return Receipt(ReceiptState.MISSING, days_late=(as_at - due_on).days)
    first = min(come, key=lambda each: (each.received_on, each.return_id))
    current = max(come, key=lambda each: each.number)
    late = max(0, (first.received_on - due_on).days) if asked else 0
    state = ReceiptState.LATE if late else ReceiptState.ON_TIME
    return Receipt(state, first, current, len(come) - 1, late)


@dataclass(frozen=True, slots=True)
class ReceiptBook:
    """Every force and period at a position, with what came.

    Attributes:
        position: As at which day, as known on which instant.
        forces: By name.
        periods: The earliest first; none that begins after the position's day.
    """

    position: Position
    forces: Sequence[NationalForce]
    periods: Sequence[AskedPeriod]
    arrivals: Mapping[tuple[int, str], Sequence[Arrival]]

    def receipt(self, force: NationalForce, period: AskedPeriod) -> Receipt:
        """What came of a force for a period."""
        return judge_receipt(
            period.due_on,
            self.position.as_at,
            self.arrivals.get((force.id, period.period), ()),
            asked=force.since <= period.due_on,
        )

    def receipts(self, period: AskedPeriod) -> dict[int, Receipt]:
        """What came for a period, by the id of the force."""
        return {force.id: self.receipt(force, period) for force in self.forces}

    def find_period(self, period: str) -> AskedPeriod | None:
        """The asked month of this name."""
        return next((asked for asked in self.periods if asked.period == period), None)

    @property
    def newest(self) -> AskedPeriod | None:
        """The latest month of which a return has come, or else the latest that is asked for."""
        with_returns = {period for _, period in self.arrivals}
        come = [asked for asked in self.periods if asked.period in with_returns]
        shown = come or list(self.periods)
        return shown[-1] if shown else None

    def before(self, period: AskedPeriod) -> AskedPeriod | None:
        """The asked month before a month."""
        place = list(self.periods).index(period)
        return self.periods[place - 1] if place else None

    def up_to(self, period: AskedPeriod, most: int = 12) -> list[AskedPeriod]:
        """The months up to a month, at most so many, the earliest first."""
        return list(self.periods)[: list(self.periods).index(period) + 1][-most:]


def read_receipts(position: Position) -> ReceiptBook:
    """What has come at a position. Four statements."""
    return ReceiptBook(position, _read_forces(position), _read_periods(position), _read_arrivals(position))


def _read_forces(position: Position) -> list[NationalForce]:
    keys = {
        force: key for force, key in db.session.execute(select(CoordinatedForce.id, CoordinatedForce.key))
    }
    known = (
        select(ForceDetails)
        .where(is_known_fact(ForceDetails, position.as_known_on), ForceDetails.from_on <= position.as_at)
        .order_by(ForceDetails.from_on, ForceDetails.recorded_at, ForceDetails.id)
    )
    details: dict[int, list[ForceDetails]] = defaultdict(list)
    for row in db.session.scalars(known):
        details[row.force_id].append(row)
    forces = [
        NationalForce(force, keys[force], rows[-1].name, rows[-1].headcount, rows[0].from_on)
        for force, rows in details.items()
    ]
    return sorted(forces, key=lambda force: (force.name, force.key))


def _read_periods(position: Position) -> list[AskedPeriod]:
    known = (
        select(ReturnPeriod.period, ReturnPeriod.due_on)
        .where(is_known_fact(ReturnPeriod, position.as_known_on))
        .order_by(ReturnPeriod.recorded_at, ReturnPeriod.id)
    )
    asked = {period: AskedPeriod(period, due_on) for period, due_on in db.session.execute(known)}
    return [asked[period] for period in sorted(asked) if asked[period].first_day <= position.as_at]


def _read_arrivals(position: Position) -> dict[tuple[int, str], list[Arrival]]:
    """The returns that had come by the position's day, without those withdrawn."""
    known = (
        select(
            ForceReturn.id,
            ForceReturn.force_id,
            ForceReturn.period,
            ForceReturn.number,
            ForceReturn.received_on,
            ForceReturn.replaces_id,
            ForceReturn.void,
        )
        .where(ForceReturn.recorded_at <= position.as_known_on)
        .order_by(ForceReturn.recorded_at, ForceReturn.id)
    )
    rows = db.session.execute(known).all()
    withdrawn = {row.replaces_id for row in rows if row.void}
    arrivals: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
    for row in rows:
        if not row.void and row.id not in withdrawn and row.received_on <= position.as_at:
            arrivals[row.force_id, row.period].append(Arrival(row.id, row.number, row.received_on))
    return dict(arrivals)
