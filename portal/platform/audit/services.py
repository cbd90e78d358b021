"""Writing the audit trail."""

from typing import Any

from portal.platform import clock
from portal.platform.audit.models import AuditEvent
from portal.platform.db import announce_act, db

# Acts about which the owner of the account, if there is one, and its other administrators get an email.
ANNOUNCED = frozenset(
    {"role.granted", "role.revoked", "account.invited", "account.closed", "account.opened"}
    | {"account.identity_removed"}
    | {"token.created", "token.revoked"}
)


def log(action: str, *, actor_id: int | None, subject_id: int | None = None, **detail: Any) -> None:
    """Add one audit event to the caller's transaction.

    Args:
        action: A noun and a past participle, such as ``pass.recorded``.
        actor_id: The person whose account acted; None for a command.
        subject_id: The person it was done to, where there is one.
        detail: Values that JSON can hold; never a secret, never free text.
    """
    event = AuditEvent(
        happened_at=clock.now(), action=action, actor_id=actor_id, subject_id=subject_id, detail=detail
    )
    db.session.add(event)
    if action in ANNOUNCED:
        announce_act(event)
