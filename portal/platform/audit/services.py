"""Writing the audit trail."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, literal, select

from portal.platform import clock
from portal.platform.audit.models import AuditEvent, FilePeople, Outcome
from portal.platform.audit.origin import Channel, current_origin
from portal.platform.audit.person_sets import pack_people
from portal.platform.db import announce_act, db, write_row

# Acts about which the owner of the account, if there is one, and its other administrators get an email.
ANNOUNCED = frozenset(
    {"role.granted", "role.revoked", "account.invited", "account.closed", "account.opened"}
    | {"account.identity_removed", "account.factors_reset", "accounts.invited"}
    | {"token.created", "token.revoked"}
    # To administrators of the whole force alone: nobody's account.
    | {"webhook.added", "webhook.changed", "webhook.failed", "webhook.gone"}
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
# Acts of the watched folder about which those who look after imports get an email.
ANNOUNCED_TO_IMPORTERS = frozenset({"folder.quarantined", "folder.waiting"})
# Acts that are counted: too many of them within minutes are a danger of their own.
COUNTED = frozenset({"access.refused", "account.refused"})
# Acts about events of which the person they concern gets an email with a calendar entry.
ANNOUNCED_TO_ATTENDEES = frozenset(
    {"event.facilitator_named", "event.facilitator_released", "event.move_told", "event.cancellation_told"}
    | {"event.reminded"}
    | {"booking.made", "booking.offered", "booking.cancelled", "booking.declined", "booking.lapsed"}
    | {"booking.left"}
)
_ANNOUNCED_ACTS = ANNOUNCED | ANNOUNCED_TO_OWNER | ANNOUNCED_TO_IMPORTERS | ANNOUNCED_TO_ATTENDEES
# What became of an act follows from its action; of all others, it was done.
OUTCOMES = {
    **dict.fromkeys(COUNTED | {"account.binding_refused", "attempt.not_opened"}, Outcome.REFUSED),
    "request.failed": Outcome.FAILED,
}
_INSERT_EVENT = insert(AuditEvent)
MASS_EXPORT = 1_000  # people; a file of more is told to administrators


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
    if action in _ANNOUNCED_ACTS | COUNTED or is_alert(event):
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
