"""The audit trail's tables."""

import os
import pwd
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, insert, literal, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.feature import list_features
from portal.platform import clock
from portal.platform.db import Base, BigId, announce_act, db, write_row
from portal.platform.errors import RuleError

# Sets of people as a few bytes: one bit for each id, deflated.
#
# A file of a whole force of 8,000 takes about 1 KiB at most, and one of everybody much less.

MOST_IDS = 8 * 16 * 1024 * 1024  # of a set that is unpacked; far beyond any force


def pack_people(ids: Iterable[int]) -> bytes:
    """The set of these people.

    >>> holds_person(pack_people([3, 1_000]), 1_000), holds_person(pack_people([3, 1_000]), 4)
    (True, False)
    """
    people = set(ids)
    bits = bytearray(max(people, default=0) // 8 + 1)
    for person_id in people:
        bits[person_id // 8] |= 1 << person_id % 8
    return zlib.compress(bytes(bits), 9)


def holds_person(packed: bytes, person_id: int) -> bool:
    """Whether the set has the person."""
    bits = _unpack_bits(packed)
    return person_id // 8 < len(bits) and bool(bits[person_id // 8] & 1 << person_id % 8)


def count_people(packed: bytes) -> int:
    """How many people the set has."""
    return int.from_bytes(_unpack_bits(packed)).bit_count()


def _unpack_bits(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    bits = unpacker.decompress(packed, MOST_IDS // 8)
    if unpacker.unconsumed_tail:
        raise RuleError("A set of people is larger than any force.")
    return bits


# Where an act comes from: stated once at the edge, read by every audit event.
#
# A request, a command and a job each state their origin before they do anything. Events written without
# one, as by a service that a test calls, have an empty channel.

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # neither spaces nor line ends: it goes into log lines
NO_LOGIN = 4_294_967_295  # the kernel's value for a process that nobody's login began
_LOGIN = Path("/proc/self/loginuid")


class Channel(StrEnum):
    """By which way an act came in."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    COMMAND = "command"
    JOB = "job"
    UNKNOWN = ""  # of events from before the portal recorded it


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the acts of one request, command or job."""

    channel: Channel = Channel.UNKNOWN
    agent: str = ""  # name of the token; command and login name; kind of the job
    address: str = ""  # of the client, as far as trusted proxies say it
    request_id: str = ""  # the same for all acts of one request, command or job


UNSTATED = Origin()
_origin: ContextVar[Origin] = ContextVar("portal_origin", default=UNSTATED)


def current_origin() -> Origin:
    """The origin of what is done now."""
    return _origin.get()


def state_origin(origin: Origin) -> None:
    """State the origin of all that this thread does until the next is stated."""
    _origin.set(origin)


@contextmanager
def originating_from(origin: Origin) -> Iterator[None]:
    """State the origin of what is done in the block."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def new_request_id() -> str:
    """A random id, too long to be met twice."""
    return secrets.token_hex(8)


def is_request_id(text: str) -> bool:
    r"""Whether a text that a proxy sent may stand for a request in the trail and in log lines.

    >>> is_request_id("7f3a9c0d11e2"), is_request_id("7f3a9c0d11e2\n"), is_request_id("short")
    (True, False, False)
    """
    return REQUEST_ID.fullmatch(text) is not None


def login_name() -> str:
    """The name with which somebody signed in to this machine, also where they became another by sudo or su.

    The kernel keeps it for each login. Without it (in a container, from cron), the account that runs this.
    """
    try:
        uid = int(_LOGIN.read_text())
    except (OSError, ValueError):
        uid = NO_LOGIN
    if uid == NO_LOGIN:
        before_sudo = os.environ.get("SUDO_UID", "")
        uid = int(before_sudo) if os.getuid() == 0 and before_sudo.isdecimal() else os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"


class Outcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


_IS_NOT_DONE = text("outcome <> 'done'")
_HAS_ADDRESS = text("address <> ''")
_HAS_REQUEST = text("request_id <> ''")
_IS_RARE_CHANNEL = text("channel NOT IN ('', 'page')")


class AuditEvent(Base):
    """What an account, a token, a job or a command did; append-only, holds no secret and no free text."""

    __tablename__ = "audit_event"
    __table_args__ = (
        # Each list is read from the newest on, by one of these.
        Index("ix_audit_event_happened_at", "happened_at", "id"),
        Index("ix_audit_event_actor_id", "actor_id", "happened_at", "id"),
        Index("ix_audit_event_subject_id", "subject_id", "happened_at", "id"),
        Index("ix_audit_event_action", "action", "happened_at", "id"),
        Index(
            "ix_audit_event_address", "address", "happened_at", "id",
            sqlite_where=_HAS_ADDRESS, postgresql_where=_HAS_ADDRESS,
        ),
        Index(
            "ix_audit_event_request_id", "request_id", "happened_at", "id",
            sqlite_where=_HAS_REQUEST, postgresql_where=_HAS_REQUEST,
        ),
        Index(
            "ix_audit_event_outcome", "outcome", "happened_at", "id",
            sqlite_where=_IS_NOT_DONE, postgresql_where=_IS_NOT_DONE,
        ),
        Index(
            "ix_audit_event_channel", "channel", "happened_at", "id",
            sqlite_where=_IS_RARE_CHANNEL, postgresql_where=_IS_RARE_CHANNEL,
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    happened_at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: no account acted
    action: Mapped[str]  # "pass.recorded", "completions.exported" …
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    outcome: Mapped[str] = mapped_column(default=Outcome.DONE, server_default=Outcome.DONE)
    # From where: the edge states it once, and every row takes it, whichever way it is written.
    channel: Mapped[str] = mapped_column(default=lambda: current_origin().channel, server_default="")
    agent: Mapped[str] = mapped_column(default=lambda: current_origin().agent, server_default="")
    address: Mapped[str] = mapped_column(default=lambda: current_origin().address, server_default="")
    request_id: Mapped[str] = mapped_column(default=lambda: current_origin().request_id, server_default="")


class FilePeople(Base):
    """Whose data one file held: a set of people, beside the audit event of the file; append-only."""

    __tablename__ = "file_people"

    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"), primary_key=True)
    people: Mapped[bytes] = mapped_column(LargeBinary)  # as portal/platform/audit.py packs it


# Writing the audit trail.

# Acts about which the owner of the account and its other administrators get an email.
_ANNOUNCED_BY_CORE = frozenset(
    {"role.granted", "role.revoked", "account.invited", "account.closed", "account.opened"}
    | {"account.identity_removed", "account.factors_reset", "accounts.invited"}
    | {"token.created", "token.revoked"}
)
# Acts of which the owner of the account alone gets an email.
ANNOUNCED_TO_OWNER = frozenset(
    {"account.factor_added", "account.factor_removed", "account.recovery_codes_made"}
    | {"account.recovery_code_used"}
)
# Acts and dangers about which administrators of the whole force get an email.
ALERTS = frozenset(
    {"completions.exported", "answer_pack.exported", "accounts.exported", "audit.exported"}
    | {"alert.many_refusals", "alert.many_failed_sign_ins"}
)
# Acts that are counted: too many of them within minutes are a danger of their own.
COUNTED = frozenset({"access.refused", "account.refused"})
# What became of an act follows from its action; of all others, it was done.
OUTCOMES = {
    **dict.fromkeys(COUNTED | {"account.binding_refused", "attempt.not_opened"}, Outcome.REFUSED),
    "request.failed": Outcome.FAILED,
}
_INSERT_EVENT = insert(AuditEvent)
MASS_EXPORT = 1_000  # people; a file of more is told to administrators


@cache
def list_announced() -> frozenset[str]:
    """Acts about which administrators get an email, and the owner of the account if there is one.

    A feature's are nobody's account: administrators of the whole force alone hear of them.
    """
    acts = (item for feature in list_features() for item in feature.acts.items())
    return _ANNOUNCED_BY_CORE.union(name for name, act in acts if act.sentence)


@cache
def _list_told() -> frozenset[str]:
    """Acts of which the transaction hears before it ends."""
    told_by_features = {
        name for feature in list_features() for name, act in feature.acts.items() if act.outbox
    }
    return list_announced() | ANNOUNCED_TO_OWNER | COUNTED | told_by_features


def log(
    action: str,
    *,
    actor_id: int | None,
    subject_id: int | None = None,
    **detail: Any,
) -> AuditEvent:
    """Add one audit event to the caller's transaction, with the origin that the edge stated.

    Args:
        action: A noun and a past participle, such as ``pass.recorded``.
        actor_id: The person whose account acted; None for a command, a job or a token.
        subject_id: The person it was done to, where there is one.
        detail: Values that JSON can hold; never a secret, never free text. Where a token acts on its own,
            ``token`` is its name.
    """
    event = _add_event(action, actor_id, subject_id, detail)
    if action in _list_told() or is_alert(event):
        announce_act(event)
    return event


def log_one_of_many(action: str, *, actor_id: int | None, subject_id: int, **detail: Any) -> None:
    """Add one of many like audit events, as ``log``; another event announces all of them together."""
    _add_event(action, actor_id, subject_id, detail)


def _add_event(
    action: str, actor_id: int | None, subject_id: int | None, detail: dict[str, Any]
) -> AuditEvent:
    origin = current_origin()
    is_token = actor_id is None and "token" in detail and origin.channel is Channel.PAGE
    return _insert_event(
        happened_at=clock.now(),
        action=action,
        actor_id=actor_id,
        subject_id=subject_id,
        outcome=OUTCOMES.get(action, Outcome.DONE),
        detail=detail,
        channel=Channel.TOKEN if is_token else origin.channel,
        agent=str(detail["token"]) if is_token else origin.agent,
    )


def _insert_event(**columns: Any) -> AuditEvent:
    """Insert an event past the session, since others wait for the lock; it belongs to no session."""
    db.session.flush()  # what it names is to be there before it
    event_id = write_row(_INSERT_EVENT, columns)
    return AuditEvent(id=event_id, **columns)


def log_alert(action: str, act: AuditEvent, **detail: Any) -> AuditEvent:
    """Add the event of a danger, on the account or by the token of the act that completed it.

    The caller sees to it that it is announced.
    """
    return _insert_event(
        happened_at=act.happened_at,
        action=action,
        actor_id=None,
        subject_id=act.actor_id,
        outcome=Outcome.DONE,
        channel=act.channel,
        agent=act.agent,
        detail=detail,
    )


def log_file(action: str, people: Iterable[int], *, actor_id: int | None, **detail: Any) -> AuditEvent:
    """Add the audit event of a file, and whose data it holds, before its first row is sent.

    Args:
        action: Such as ``completions.exported``.
        people: The ids of everybody with a row in it.
        actor_id: As ``log``.
        detail: As ``log``; ``people``, their number, is added.
    """
    ids = set(people)
    event = log(action, actor_id=actor_id, people=len(ids), **detail)
    db.session.execute(insert(FilePeople).values(event_id=event.id, people=pack_people(ids)))
    return event


def log_copy(action: str, file_event_id: int | None, *, actor_id: int | None, **detail: Any) -> AuditEvent:
    """Add the audit event of handing over a file that was made earlier, with the same people.

    Args:
        action: Such as ``completions.downloaded``.
        file_event_id: The event of the file's making; None if it does not say whom the file holds.
        actor_id: As ``log``.
        detail: As ``log``.
    """
    event = log(action, actor_id=actor_id, **detail)
    same = select(literal(event.id), FilePeople.people).where(FilePeople.event_id == file_event_id)
    db.session.execute(insert(FilePeople).from_select(["event_id", "people"], same))
    return event


def is_alert(event: AuditEvent) -> bool:
    """Whether administrators of the whole force are to be told of it; a file only if it holds many people."""
    is_file = event.action.endswith(".exported")
    return event.action in ALERTS and (not is_file or event.detail.get("people", 0) > MASS_EXPORT)
