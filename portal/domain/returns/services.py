"""Makes a force's own returns, and receives those of all forces at the coordinating unit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, insert, select

from config import current_settings
from portal.domain.returns.building import build_return, read_period
from portal.domain.returns.checking import DIRECTIVE, CheckedReturn, check_return, read_claimed_force
from portal.domain.returns.content import ReturnContent, period_words
from portal.domain.returns.models import ForceReturn, OwnReturn, ReturnFigure
from portal.domain.returns.own_key import own_short_name
from portal.domain.returns.queries import (
    MadeReturn,
    find_directive_of_returns,
    find_force,
    find_received_return,
    list_keys,
    list_newest_returns,
)
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.signing.documents import is_genuine, read_document, sign_document, write_canonical
from portal.platform.signing.keys import write_public_key

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
        NotFoundError: There is no such directive.
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
        RuleError: It says the same as the newest return of its month on its directive, or has no reason and
            is not the first.
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
