"""Reads of returns: a force's own, and at the coordinating unit the forces, their keys and their returns."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import and_, func, select

from portal.domain.people.positions import is_known_fact
from portal.domain.reports.parameters import Position
from portal.features.returns.content import ReturnContent
from portal.features.returns.models import (
    Comparison,
    CoordinatedForce,
    ForceDetails,
    ForceKey,
    ForceReturn,
    OwnReturn,
    ReturnPeriod,
)
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.signing.documents import read_document
from portal.platform.wording import date as say_date
from portal.platform.wording import month_words, plural


@dataclass(frozen=True, slots=True)
class RegisteredForce:
    """A force as it is on a day, as far as it was known at an instant."""

    id: int
    key: str
    name: str
    headcount: int


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A public key of a force; ``ended_on`` is the first day on which it is no longer valid."""

    id: int
    public_key: str
    fingerprint: str
    from_on: date
    ended_on: date | None

    def is_valid_on(self, day: date) -> bool:
        """Whether a return received on a day may be signed with the key."""
        return self.from_on <= day and (self.ended_on is None or day < self.ended_on)


@dataclass(frozen=True, slots=True)
class MadeReturn:
    """A return that this force made, with what its file says."""

    row: OwnReturn
    content: ReturnContent

    @classmethod
    def from_row(cls, row: OwnReturn) -> "MadeReturn":
        """Read the file of a row."""
        return cls(row, ReturnContent.from_document(read_document(row.content)))

    @property
    def number(self) -> int:
        """Its number among those of its month on its directive; a correction has the next."""
        return self.content.number


def list_forces(day: date, known_on: datetime | None = None, key: str = "") -> list[RegisteredForce]:
    """List the forces registered by a day, by name; of facts of one day the last recorded counts.

    Args:
        day: A London day.
        known_on: The instant whose knowledge counts; None: all that is recorded.
        key: The short name of the only force to list; "": every force.
    """
    statement = (
        select(CoordinatedForce.key, ForceDetails)
        .join(ForceDetails, ForceDetails.force_id == CoordinatedForce.id)
        .where(is_known_fact(ForceDetails, known_on), ForceDetails.from_on <= day)
        .order_by(ForceDetails.from_on, ForceDetails.recorded_at, ForceDetails.id)
    )
    if key:
        statement = statement.where(CoordinatedForce.key == key)
    forces = {
        details.force_id: RegisteredForce(details.force_id, key, details.name, details.headcount)
        for key, details in db.session.execute(statement)
    }
    return sorted(forces.values(), key=lambda force: (force.name, force.key))


def find_force(key: str, day: date) -> RegisteredForce:
    """Find the force with a short name."""
    forces = list_forces(day, key=key) if key else []
    if not forces:
        raise NotFoundError(f"No force is registered as “{key}”.")
    return forces[0]


def list_keys(force_ids: Sequence[int] | None = None) -> dict[int, list[RegisteredKey]]:
    """List the keys of forces by the id of the force, the newest first. One statement.

    Args:
        force_ids: Which forces; None: all.
    """
    end = ForceKey.__table__.alias("ending")
    statement = (
        select(ForceKey, end.c.from_on)
        .outerjoin(end, and_(end.c.replaces_id == ForceKey.id, end.c.void.is_(True)))
        .where(ForceKey.void.is_(False))
        .order_by(ForceKey.from_on.desc(), ForceKey.id.desc())
    )
    if force_ids is not None:
        statement = statement.where(ForceKey.force_id.in_(force_ids))
    keys: dict[int, list[RegisteredKey]] = defaultdict(list)
    for row, ended_on in db.session.execute(statement):
        keys[row.force_id].append(
            RegisteredKey(row.id, row.public_key, row.fingerprint, row.from_on, ended_on)
        )
    return dict(keys)


def list_received_returns(force_id: int) -> Sequence[ForceReturn]:
    """List the returns received from a force, with those that were corrected, by month and number."""
    statement = select(ForceReturn).where(ForceReturn.void.is_(False), ForceReturn.force_id == force_id)
    return db.session.scalars(statement.order_by(ForceReturn.period, ForceReturn.number)).all()


def find_received_return(force_id: int, period: str, number: int) -> ForceReturn | None:
    """Find a received return of a force; None: it was not received."""
    return db.session.scalar(
        select(ForceReturn).where(
            ForceReturn.force_id == force_id, ForceReturn.period == period, ForceReturn.number == number
        )
    )


def list_periods() -> list[ReturnPeriod]:
    """List the periods that are asked for, the latest first, each as last recorded."""
    statement = (
        select(ReturnPeriod)
        .where(is_known_fact(ReturnPeriod))
        .order_by(ReturnPeriod.period.desc(), ReturnPeriod.recorded_at)
    )
    return list({row.period: row for row in db.session.scalars(statement)}.values())


def list_made_returns() -> list[MadeReturn]:
    """List the returns that this force made, the latest month first, then by directive, the latest first."""
    order = (OwnReturn.period.desc(), OwnReturn.number.desc())
    made = [MadeReturn.from_row(row) for row in db.session.scalars(select(OwnReturn).order_by(*order))]
    made.sort(key=lambda each: each.content.directive)
    return sorted(made, key=lambda each: each.row.period, reverse=True)


def find_own_return(period: str, number: int) -> OwnReturn:
    """Find a return that this force made, by its number among all of the month."""
    own_return = db.session.scalar(
        select(OwnReturn).where(OwnReturn.period == period, OwnReturn.number == number)
    )
    if own_return is None:
        raise NotFoundError("There is no such return.")
    return own_return


def list_newest_returns(period: str) -> dict[str, MadeReturn]:
    """The newest return that this force made of a month on each directive, by its reference."""
    statement = select(OwnReturn).where(OwnReturn.period == period).order_by(OwnReturn.number)
    made = [MadeReturn.from_row(row) for row in db.session.scalars(statement)]
    return {each.content.directive: each for each in made}


def find_directive_of_returns(force_id: int) -> str | None:
    """The directive of the returns received from a force, or before its first of those of all forces.

    None: no return was received yet.
    """
    statement = (
        select(ForceReturn.content)
        .where(is_known_fact(ForceReturn))
        .order_by(ForceReturn.force_id != force_id, ForceReturn.id)
        .limit(1)
    )
    content = db.session.scalar(statement)
    return ReturnContent.from_document(read_document(content)).directive if content else None


def list_comparisons() -> Sequence[Comparison]:
    """List the comparisons that this force received, the latest period first; the last received of each."""
    newest = select(func.max(Comparison.id)).group_by(Comparison.period)
    statement = select(Comparison).where(Comparison.id.in_(newest)).order_by(Comparison.period.desc())
    return db.session.scalars(statement).all()


# Which returns were received: on time, late or not at all, and which were corrected.


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
