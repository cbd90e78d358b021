"""Reads of returns: a force's own, and at the coordinating unit the forces, their keys and their returns."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select

from portal.domain.people.as_of import is_known_fact
from portal.domain.returns.content import ReturnContent
from portal.domain.returns.models import (
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
    """Find the force with a short name.

    Raises:
        NotFoundError: No such force is registered by that day.
    """
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
    """Find a return that this force made, by its number among all of the month.

    Raises:
        NotFoundError: There is no such return.
    """
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
