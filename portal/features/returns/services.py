"""Makes a force's own returns, and receives those of all forces at the coordinating unit."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select

from config import current_settings
from portal.domain.reports.parameters import EARLIEST
from portal.features.returns.building import (
    DIRECTIVE,
    CheckedReturn,
    build_return,
    check_return,
    own_short_name,
    read_claimed_force,
    read_period,
)
from portal.features.returns.content import (
    LONGEST_LINE,
    MOST_PEOPLE,
    PERIOD,
    ReturnContent,
    last_day_of,
    period_words,
)
from portal.features.returns.models import (
    CoordinatedForce,
    ForceDetails,
    ForceKey,
    ForceReturn,
    OwnReturn,
    ReturnFigure,
    ReturnPeriod,
)
from portal.features.returns.queries import (
    MadeReturn,
    RegisteredForce,
    RegisteredKey,
    find_directive_of_returns,
    find_force,
    find_received_return,
    list_keys,
    list_newest_returns,
    list_periods,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, FieldError, NotFoundError, RuleError
from portal.platform.signing.documents import is_genuine, read_document, sign_document, write_canonical
from portal.platform.signing.keys import SigningKeyError, take_fingerprint, write_public_key
from portal.platform.signing.settings import LONGEST_NAME, NAME

LONGEST_REASON = 500
NEEDS_REASON = "Say why you make it again: the coordinating unit tells corrections from progress by it."


class ReturnRefusedError(BadInputError):
    """A file is not received.

    Attributes:
        checked: The faults of each check.
    """

    def __init__(self, checked: CheckedReturn, reasons: Sequence[str] = ()) -> None:
        self.checked = checked
        super().__init__([*(reasons or checked.sentences)])


@dataclass(frozen=True, slots=True)
class ReceivedReturn:
    """A return that passed every check."""

    id: int
    force: str
    period: str
    number: int
    was_known: bool  # the same return was received before, and nothing was changed
    notes: tuple[str, ...]  # sentences for the receiver


def prepare_own_return(
    reference: str, period: str, *, hide: bool, now: datetime, newest: datetime | None
) -> ReturnContent:
    """Build this force's return of a month from what is known by the newest stamp; nothing is kept.

    Raises:
        BadInputError: The period is no month that has ended.
        RuleError: There is nobody to count.
    """
    settings, today = current_settings(), clock.london_day(now)
    return build_return(
        reference,
        read_period(period, today),
        force=own_short_name(),
        force_name=settings.force_name,
        known_on=newest or now,
        today=today,
        round_to=settings.small_number if hide else None,
    )


def keep_own_return(
    content: ReturnContent, key: Ed25519PrivateKey, *, at: datetime, by: int | None, reason: str = ""
) -> MadeReturn:
    """Number, sign, check and keep a return that this force built.

    Args:
        content: As ``build_return`` gives it.
        key: The force's own.
        at: Now.
        by: Who makes it; None: the command line.
        reason: Why it is made again; not needed of the first of its month on its directive.

    Raises:
        BadInputError: The return does not pass its own checks.
    """
    recorded_at = stamp()
    of_month = list_newest_returns(content.period)
    earlier = of_month.get(content.directive)
    number = earlier.number + 1 if earlier else 1
    if earlier is not None and _says_same(earlier.row.content, content, key):
        month = period_words(content.period)
        raise RuleError(f"Nothing has changed since return {earlier.number} of {month}.")
    if earlier is not None and not reason.strip():
        raise RuleError(NEEDS_REASON)
    numbered = replace(content, number=number, reason=" ".join(reason.split()) if earlier else "")
    file = _sign_checked(numbered, key, at)
    own_return = OwnReturn(
        recorded_at=recorded_at,
        replaces_id=earlier.row.id if earlier else None,
        period=content.period,
        number=max((each.row.number for each in of_month.values()), default=0) + 1,
        content=file,
        digest=hashlib.sha256(file).hexdigest(),
        made_by_id=by,
    )
    db.session.add(own_return)
    db.session.flush()
    details: dict[str, Any] = {"directive": content.directive, "period": content.period, "number": number}
    log("return.made", actor_id=by, **details, sha256=own_return.digest)
    return MadeReturn(own_return, numbered)


def _sign_checked(content: ReturnContent, key: Ed25519PrivateKey, at: datetime) -> bytes:
    """Sign a return and check the file as its receiver does."""
    file = sign_document(content.to_document(), key)
    checked = check_return(file, {0: write_public_key(key)}, clock.london_day(at), force=content.force)
    if not checked.has_passed:
        raise ReturnRefusedError(checked)
    return file


def _says_same(file: bytes, content: ReturnContent, key: Ed25519PrivateKey) -> bool:
    """Whether a kept return, signed with the same key, has the content of a new one, whatever its instant."""
    document = read_document(file)
    kept_content = ReturnContent.from_document(document)
    same = replace(
        content, number=kept_content.number, reason=kept_content.reason, as_known_on=kept_content.as_known_on
    )
    return kept_content == same and is_genuine(document, write_public_key(key))


def check_received_return(file: bytes, at: datetime) -> CheckedReturn:
    """Check a file with the registered keys of the force that it names; nothing is kept."""
    on = clock.london_day(at)
    try:
        force = find_force(read_claimed_force(file), on)
    except NotFoundError:
        return check_return(file, {}, on)
    keys = list_keys([force.id]).get(force.id, [])
    valid = {key.id: key.public_key for key in keys if key.is_valid_on(on)}
    checked = check_return(file, valid, on, force=force.key)
    return replace(checked, faults=(*checked.faults, *_list_directive_faults(checked.content, force.id)))


def _list_directive_faults(content: ReturnContent | None, force_id: int) -> list[tuple[str, str]]:
    """What keeps figures on different directives from being put together, or in the place of each other."""
    expected = find_directive_of_returns(force_id) if content else None
    if content is None or expected in (None, content.directive):
        return []
    sentence = (
        f"It is on {content.directive}, and the returns received before are on {expected}. Figures on "
        "different directives are never put together."
    )
    return [(DIRECTIVE, sentence)]


def receive_return(file: bytes, *, at: datetime, by: int | None) -> ReceivedReturn:
    """Check a return and keep it byte for byte, with its counts in a table of their own.

    The same return twice is kept once. Corrections may come in any order: the highest number counts.

    Raises:
        ReturnRefusedError: A check failed, or another return with its number was received before.
    """
    recorded_at = stamp()
    checked = check_received_return(file, at)
    content = checked.content
    if content is None or checked.key_id is None or not checked.has_passed:
        raise ReturnRefusedError(checked)
    on = clock.london_day(at)
    force = find_force(content.force, on)
    known_return = find_received_return(force.id, content.period, content.number)
    if known_return is not None:
        return _accept_repeated_return(known_return, file, checked)
    period, highest = content.period, _highest_number(force.id, content.period)
    replaced = find_received_return(force.id, period, highest) if 0 < highest < content.number else None
    received = ForceReturn(
        recorded_at=recorded_at,
        replaces_id=replaced.id if replaced else None,
        force_id=force.id,
        period=period,
        number=content.number,
        received_on=on,
        content=file,
        digest=hashlib.sha256(file).hexdigest(),
        key_id=checked.key_id,
        received_by_id=by,
    )
    db.session.add(received)
    db.session.flush()
    _add_figures(received.id, content)
    details: dict[str, Any] = {"force": force.key, "period": received.period, "number": received.number}
    log("return.received", actor_id=by, **details, sha256=received.digest)
    notes = tuple(_list_notes(content, highest))
    return ReceivedReturn(received.id, force.key, received.period, received.number, False, notes)


def _accept_repeated_return(known_return: ForceReturn, file: bytes, checked: CheckedReturn) -> ReceivedReturn:
    """Accept a return that was received before and change nothing; refuse another one with its number."""
    document = read_document(file)
    if write_canonical(read_document(known_return.content)) == write_canonical(document):
        force = document["force"]["key"]
        return ReceivedReturn(known_return.id, force, known_return.period, known_return.number, True, ())
    raise ReturnRefusedError(
        checked,
        [
            f"Another return {known_return.number} of {known_return.period} came on "
            f"{known_return.received_on.isoformat()}. "
            "A correction has the next number."
        ],
    )


def log_refused_return(error: ReturnRefusedError, *, by: int | None) -> None:
    """Log that a file was refused, with the checks that failed and the return that it claims to be."""
    content = error.checked.content
    claimed: dict[str, Any] = {}
    if content is not None:
        claimed = {"force": content.force, "period": content.period, "number": content.number}
    checks = sorted({check for check, _ in error.checked.faults}) or ["number"]
    log("return.refused", actor_id=by, checks=", ".join(checks), **claimed)


def _highest_number(force_id: int, period: str) -> int:
    statement = select(func.max(ForceReturn.number)).where(
        ForceReturn.force_id == force_id, ForceReturn.period == period
    )
    return db.session.scalar(statement) or 0


def _add_figures(return_id: int, content: ReturnContent) -> None:
    rows = [
        {
            "force_return_id": return_id,
            "requirement": count.requirement,
            "grouping": count.grouping,
            "group_name": count.group,
            "assigned": count.assigned,
            "excluded": count.excluded,
            "complete": count.complete,
        }
        for count in content.counts
    ]
    db.session.execute(insert(ReturnFigure), rows)


def _list_notes(content: ReturnContent, highest: int) -> list[str]:
    if content.number < highest:
        return [f"Return {highest} of {period_words(content.period)} came before it and still counts."]
    if content.number > highest + 1:
        return [f"Return {content.number - 1} of {period_words(content.period)} has not come."]
    return []


# Registers forces at a coordinating unit: names, sizes, keys, and the months asked for.

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
