"""Writing the audit trail."""

from typing import Any

from portal.platform import clock
from portal.platform.audit.models import AuditEvent
from portal.platform.db import announce_act, db

# Acts about which the owner of the account, if there is one, and its other administrators get an email.
ANNOUNCED = frozenset(
    {"role.granted", "role.revoked", "account.invited", "account.closed", "account.opened"}
    | {"account.identity_removed", "accounts.invited"}
    | {"token.created", "token.revoked"}
    # To administrators of the whole force alone: nobody's account.
    | {"webhook.added", "webhook.changed", "webhook.failed", "webhook.gone"}
)


def log(action: str, *, actor_id: int | None, subject_id: int | None = None, **detail: Any) -> None:
    """Add one audit event to the caller's transaction.

    Args:
        action: A noun and a past participle, such as ``pass.recorded``.
        actor_id: The person whose account acted; None for a command.
        subject_id: The person it was done to, where there is one.
        detail: Values that JSON can hold; never a secret, never free text.
    """
    event = _add_event(action, actor_id, subject_id, detail)
    if action in ANNOUNCED:
        announce_act(event)


def log_one_of_many(action: str, *, actor_id: int | None, subject_id: int, **detail: Any) -> None:
    """Add one of many like audit events, as ``log``; another event announces all of them together."""
    _add_event(action, actor_id, subject_id, detail)


def _add_event(
    action: str, actor_id: int | None, subject_id: int | None, detail: dict[str, Any]
) -> AuditEvent:
    event = AuditEvent(
        happened_at=clock.now(), action=action, actor_id=actor_id, subject_id=subject_id, detail=detail
    )
    db.session.add(event)
    return event
