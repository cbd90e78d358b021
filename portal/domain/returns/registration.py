"""Registers forces at a coordinating unit: names, sizes, keys, and the months asked for."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from portal.domain.reports.parameters import EARLIEST
from portal.domain.returns.content import last_day_of
from portal.domain.returns.models import CoordinatedForce, ForceDetails, ForceKey, ReturnPeriod
from portal.domain.returns.queries import RegisteredForce, RegisteredKey, find_force, list_keys, list_periods
from portal.domain.returns.schema import LONGEST_LINE, MOST_PEOPLE, PERIOD
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import FieldError
from portal.platform.signing.keys import SigningKeyError, take_fingerprint
from portal.platform.signing.settings import LONGEST_NAME, NAME

LEAST_READ_OUT = 32  # characters of a fingerprint: a key with the same ones cannot be made
NOT_ITS_FINGERPRINT = (
    f"Enter at least the first {LEAST_READ_OUT} characters of the fingerprint as the force read it out. "
    "If they differ, the key may not be the force’s."
)
RESERVED = frozenset({"new"})  # the address of a page, in place of a short name


class RegistrationError(FieldError):
    """Details of a force, a key or a month that cannot be registered."""


@dataclass(frozen=True, slots=True)
class StatedForce:
    """What a force is called, how large it is, and from which day on."""

    name: str
    headcount: int
    from_on: date


def register_force(key: str, stated: StatedForce, *, at: datetime, by: int | None) -> int:
    """Register a force under a short name that it keeps for ever. Returns its id.

    Raises:
        RegistrationError: The short name is taken or malformed, or the details are refused.
    """
    recorded_at = stamp()
    if not NAME.fullmatch(key) or len(key) > LONGEST_NAME:
        raise RegistrationError(
            "key", "Enter a short name in small letters, digits and hyphens, such as westshire."
        )
    if key in RESERVED:
        raise RegistrationError("key", f"“{key}” is part of an address here. Choose another short name.")
    if db.session.scalar(select(CoordinatedForce.id).where(CoordinatedForce.key == key)):
        raise RegistrationError("key", f"A force is registered as {key}. Choose another short name.")
    force = CoordinatedForce(recorded_at=recorded_at, key=key)
    db.session.add(force)
    db.session.flush()
    _add_details(force.id, stated, at, by)
    log("force.registered", actor_id=by, force=key)
    return force.id


def change_force_details(key: str, stated: StatedForce, *, at: datetime, by: int | None) -> None:
    """State what a force is called and how large it is, from a day on.

    Raises:
        NotFoundError: There is no such force.
        RegistrationError: The details are refused, or nothing changes.
    """
    stamp()
    force = find_force(key, clock.london_day(at))
    if (force.name, force.headcount) == (stated.name, stated.headcount):
        raise RegistrationError("name", "Nothing would change. Change something, or go back.")
    _add_details(force.id, stated, at, by)
    log("force.restated", actor_id=by, force=key)


def _add_details(force_id: int, stated: StatedForce, at: datetime, by: int | None) -> None:
    if not stated.name.strip() or len(stated.name) > LONGEST_LINE or not stated.name.isprintable():
        raise RegistrationError("name", f"Enter a name of 1 to {LONGEST_LINE} characters.")
    if not 0 < stated.headcount <= MOST_PEOPLE:
        raise RegistrationError("headcount", f"Enter a whole number from 1 to {MOST_PEOPLE:,}.")
    _refuse_day(stated.from_on, at)
    db.session.add(
        ForceDetails(
            recorded_at=stamp(),
            force_id=force_id,
            from_on=stated.from_on,
            name=stated.name.strip(),
            headcount=stated.headcount,
            recorded_by_id=by,
        )
    )
    db.session.flush()


def _refuse_day(from_on: date, at: datetime) -> None:
    if not EARLIEST <= from_on <= clock.london_day(at):
        raise RegistrationError("from_on", "Enter today’s date or an earlier one, from 1 January 1900 on.")


def add_key(key: str, public_key: str, *, read_out: str, from_on: date, at: datetime, by: int | None) -> str:
    """Register a public key of a force, beside those it has: while keys change, both are valid.

    ``read_out`` is the beginning of its fingerprint, which the force read out by telephone or in person: so
    nobody can have exchanged the key on its way.

    Returns:
        The fingerprint.

    Raises:
        NotFoundError: There is no such force.
        RegistrationError: The text is no key, has another fingerprint, or is registered already.
    """
    recorded_at = stamp()
    force = find_force(key, clock.london_day(at))
    _refuse_day(from_on, at)
    try:
        fingerprint = take_fingerprint(public_key)
    except SigningKeyError as error:
        raise RegistrationError("public_key", f"The public key {error}.") from error
    _refuse_other_fingerprint(fingerprint, read_out)
    if db.session.scalar(select(ForceKey.id).where(ForceKey.fingerprint == fingerprint)):
        raise RegistrationError(
            "public_key", "This key is registered already, or was. A force makes a new one."
        )
    db.session.add(
        ForceKey(
            recorded_at=recorded_at,
            force_id=force.id,
            from_on=from_on,
            public_key=public_key,
            fingerprint=fingerprint,
            recorded_by_id=by,
        )
    )
    log("force.key_added", actor_id=by, force=key, fingerprint=fingerprint)
    return fingerprint


def _refuse_other_fingerprint(fingerprint: str, read_out: str) -> None:
    beginning = "".join(read_out.split()).lower()
    if len(beginning) < LEAST_READ_OUT or not fingerprint.startswith(beginning):
        raise RegistrationError("read_out", NOT_ITS_FINGERPRINT)


def end_key(key: str, fingerprint: str, *, from_on: date, at: datetime, by: int | None) -> None:
    """End a key: no return signed with it is received from a day on. Those received before stay.

    Raises:
        NotFoundError: There is no such force.
        RegistrationError: The force has no such key, or the key has ended already.
    """
    recorded_at = stamp()
    force = find_force(key, clock.london_day(at))
    ended_key = next((row for row in _keys_of(force) if row.fingerprint == fingerprint), None)
    if ended_key is None or ended_key.ended_on is not None:
        raise RegistrationError("fingerprint", "The force has no such key, or it has ended already.")
    _refuse_day(from_on, at)
    db.session.add(
        ForceKey(
            recorded_at=recorded_at,
            replaces_id=ended_key.id,
            void=True,
            force_id=force.id,
            from_on=from_on,
            public_key=ended_key.public_key,
            fingerprint=fingerprint,
            recorded_by_id=by,
        )
    )
    log("force.key_ended", actor_id=by, force=key, fingerprint=fingerprint)


def _keys_of(force: RegisteredForce) -> list[RegisteredKey]:
    return list_keys([force.id]).get(force.id, [])


def ask_for_returns(period: str, due_on: date, *, at: datetime, by: int | None) -> str:
    """Ask every force for a return of a month, or change the day by which it is due.

    Returns:
        The period.

    Raises:
        RegistrationError: The text is no month, the day is not after its end, or nothing would change.
    """
    recorded_at = stamp()
    if not re.fullmatch(PERIOD, period.strip()):
        raise RegistrationError("period", "Enter a month such as 2026-04.")
    if due_on <= last_day_of(period.strip()):
        raise RegistrationError("due_on", "Enter a day after the end of the month.")
    asked_period = next((row for row in list_periods() if row.period == period.strip()), None)
    if asked_period is not None and asked_period.due_on == due_on:
        raise RegistrationError("due_on", "This return is due on that day already. Enter another day.")
    db.session.add(
        ReturnPeriod(
            recorded_at=recorded_at,
            replaces_id=asked_period.id if asked_period else None,
            period=period.strip(),
            due_on=due_on,
            recorded_by_id=by,
        )
    )
    log("return.asked", actor_id=by, period=period.strip(), due_on=due_on.isoformat())
    return period.strip()
