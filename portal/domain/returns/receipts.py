"""Which returns were received: on time, late or not at all, and which were corrected."""

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
    """Whether a force's return for a period was received, and when."""

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
    registered_from: date  # the first day of its details here


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
    """One return that was received: the force's own number of it, and the day."""

    return_id: int
    number: int
    received_on: date


@dataclass(frozen=True, slots=True)
class Receipt:
    """The returns received from a force for a period, as known at a position.

    Attributes:
        state: By the day of the first arrival: a correction makes no return late.
        first: The first arrival; None: nothing was received.
        current: The arrival that counts: that with the highest number, in whatever order they came.
        corrections: Number of arrivals after the first.
        days_late: Of the first arrival, or until the position's day where nothing was received.
    """

    state: ReceiptState
    first: Arrival | None = None
    current: Arrival | None = None
    corrections: int = 0
    days_late: int = 0

    @property
    def is_corrected(self) -> bool:
        """Whether a correction was received."""
        return self.corrections > 0

    @property
    def words(self) -> str:
        """The state in words."""
        return RECEIPT_WORDS[self.state]

    @property
    def detail(self) -> str:
        """Details of the state, such as "3 days overdue"; empty where there are none."""
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
    """Judge whether a return came on time, late or not at all. Pure.

    Args:
        due_on: The last day on which it is on time.
        as_at: The day of the position; arrivals after it have not come yet.
        arrivals: Of this force and period, in any order.
        asked: Whether the force was known when the return was due.
    """
    received = [arrival for arrival in arrivals if arrival.received_on <= as_at]
    if not received:
        if not asked:
            return Receipt(ReceiptState.NOT_ASKED)
        if as_at <= due_on:
            return Receipt(ReceiptState.AWAITED)
        return Receipt(ReceiptState.MISSING, days_late=(as_at - due_on).days)
    first = min(received, key=lambda arrival: (arrival.received_on, arrival.return_id))
    current = max(received, key=lambda arrival: arrival.number)
    late = max(0, (first.received_on - due_on).days) if asked else 0
    state = ReceiptState.LATE if late else ReceiptState.ON_TIME
    return Receipt(state, first, current, len(received) - 1, late)


@dataclass(frozen=True, slots=True)
class ReceiptBook:
    """Every force and period at a position, with the returns received.

    Attributes:
        position: As at which day, as known on which instant.
        forces: By name.
        periods: The earliest first; none that begins after the position's day.
    """

    position: Position
    forces: Sequence[NationalForce]
    periods: Sequence[AskedPeriod]
    arrivals: Mapping[tuple[int, str], Sequence[Arrival]]

    def receipt_of(self, force: NationalForce, period: AskedPeriod) -> Receipt:
        """The receipt of a force for a period."""
        return judge_receipt(
            period.due_on,
            self.position.as_at,
            self.arrivals.get((force.id, period.period), ()),
            asked=force.registered_from <= period.due_on,
        )

    def receipts_for(self, period: AskedPeriod) -> dict[int, Receipt]:
        """The receipts for a period, by the id of the force."""
        return {force.id: self.receipt_of(force, period) for force in self.forces}

    def find_period(self, period: str) -> AskedPeriod | None:
        """Find the asked month with a name such as 2026-04; None: it was not asked for."""
        return next((row for row in self.periods if row.period == period), None)

    @property
    def newest_period(self) -> AskedPeriod | None:
        """The latest month with a return, or else the latest that is asked for."""
        with_returns = {period for _, period in self.arrivals}
        periods = [row for row in self.periods if row.period in with_returns] or list(self.periods)
        return periods[-1] if periods else None

    def list_periods_up_to(self, period: AskedPeriod, most: int = 12) -> list[AskedPeriod]:
        """List the asked months up to a month, at most ``most`` of them, the earliest first."""
        return list(self.periods)[: list(self.periods).index(period) + 1][-most:]


def read_receipts(position: Position) -> ReceiptBook:
    """Read every force, period and arrival at a position. Four statements."""
    return ReceiptBook(position, _read_forces(position), _read_periods(position), _read_arrivals(position))


def _read_forces(position: Position) -> list[NationalForce]:
    keys = {
        force: key for force, key in db.session.execute(select(CoordinatedForce.id, CoordinatedForce.key))
    }
    statement = (
        select(ForceDetails)
        .where(is_known_fact(ForceDetails, position.as_known_on), ForceDetails.from_on <= position.as_at)
        .order_by(ForceDetails.from_on, ForceDetails.recorded_at, ForceDetails.id)
    )
    details: dict[int, list[ForceDetails]] = defaultdict(list)
    for row in db.session.scalars(statement):
        details[row.force_id].append(row)
    forces = [
        NationalForce(force, keys[force], rows[-1].name, rows[-1].headcount, rows[0].from_on)
        for force, rows in details.items()
    ]
    return sorted(forces, key=lambda force: (force.name, force.key))


def _read_periods(position: Position) -> list[AskedPeriod]:
    statement = (
        select(ReturnPeriod.period, ReturnPeriod.due_on)
        .where(is_known_fact(ReturnPeriod, position.as_known_on))
        .order_by(ReturnPeriod.recorded_at, ReturnPeriod.id)
    )
    periods = {period: AskedPeriod(period, due_on) for period, due_on in db.session.execute(statement)}
    return [periods[period] for period in sorted(periods) if periods[period].first_day <= position.as_at]


def _read_arrivals(position: Position) -> dict[tuple[int, str], list[Arrival]]:
    """The returns that had come by the position's day, without those withdrawn."""
    statement = (
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
    rows = db.session.execute(statement).all()
    withdrawn = {row.replaces_id for row in rows if row.void}
    arrivals: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
    for row in rows:
        if not row.void and row.id not in withdrawn and row.received_on <= position.as_at:
            arrivals[row.force_id, row.period].append(Arrival(row.id, row.number, row.received_on))
    return dict(arrivals)
