"""Invites people: a message in the outbox for each, or links to be printed, in the caller's transaction."""

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, insert, select

from portal.domain.accounts import delivered_links
from portal.domain.accounts.delivered_links import INVITATION_LIFETIME
from portal.domain.accounts.grants.authority import OUTSIDE
from portal.domain.accounts.models import Invitation
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer
from portal.domain.reminders.invitations.candidates import (
    PRINTABLE,
    Candidates,
    InvitationFilter,
    InvitationOutcome,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.send_window import SendWindow
from portal.domain.reminders.services import lock_outbox
from portal.platform.audit.services import log, log_one_of_many
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError

MAIL, PAPER = "mail", "paper"
MOST_PRINTED = 200  # on one list
OUTCOME_SENTENCES = {
    InvitationOutcome.OUTSIDE: OUTSIDE,
    InvitationOutcome.CLOSED: "This account is closed. Open it again first.",
    InvitationOutcome.ACCOUNT: "This person can sign in already.",
    InvitationOutcome.PROVIDER: "Only administrators can sign in with a password. This person is none.",
    InvitationOutcome.NO_EMAIL: "No email address is known for this person. Import it with the roster first.",
    InvitationOutcome.SHARED_EMAIL: "Another person has the same email address. Correct the roster first.",
}


def invite_people(
    viewer: Viewer, people: Collection[int], *, batch: uuid.UUID, at: datetime, hours: SendWindow
) -> int:
    """Invite those of these people who are to be invited now; return how many.

    Safe to repeat: whoever is invited already is left out. The batch is announced by ``announce_batch``.

    Args:
        viewer: The administrator who invites them.
        people: Up to a few hundred, so that the lock is held briefly.
        batch: The same for all that one press of a button makes.
        at: This instant.
        hours: When mail may be sent.
    """
    lock_outbox()
    outcomes = Candidates(viewer, InvitationFilter(), at).outcomes_of(people)
    invited = [person_id for person_id in people if outcomes.get(person_id) is InvitationOutcome.INVITE]
    _queue_invitations(viewer, invited, batch=batch, at=at, hours=hours)
    return len(invited)


def invite_again(viewer: Viewer, person_id: int, *, at: datetime, hours: SendWindow) -> None:
    """Invite one person by mail, even if a link that was sent or printed still works.

    Raises:
        RuleError: The person cannot be invited; the sentence says why.
        ConflictError: An invitation waits for the relay already.
    """
    lock_outbox()
    outcome = Candidates(viewer, InvitationFilter(), at).outcomes_of([person_id]).get(person_id)
    if outcome is None:
        raise RuleError("This person has no post today, so they cannot sign in.")
    if outcome in OUTCOME_SENTENCES:
        raise RuleError(OUTCOME_SENTENCES[outcome])
    if _is_waiting(person_id):
        raise ConflictError("An invitation to this person is waiting to be sent already.")
    batch = uuid.uuid4()
    _queue_invitations(viewer, [person_id], batch=batch, at=at, hours=hours)
    announce_batch(viewer, batch, MAIL)


def print_invitations(
    viewer: Viewer, people: Collection[int], *, batch: uuid.UUID, at: datetime
) -> dict[int, str]:
    """Make a link for each of these people who may get one on paper; earlier links stop working.

    Returns:
        The tokens by person, in the order of ``people``; they are stored nowhere.
    """
    lock_outbox()
    outcomes = Candidates(viewer, InvitationFilter(), at).outcomes_of(people)
    allowed = [person_id for person_id in people if outcomes.get(person_id) in PRINTABLE]
    tokens = delivered_links.make_links_for_paper(allowed, by=viewer.person_id, at=at)
    rows = [
        {**_invitation_columns(viewer, person_id, batch, at), "expires_at": at + INVITATION_LIFETIME}
        for person_id in allowed
    ]
    if rows:
        db.session.execute(insert(Invitation), rows)
        _log_printing(viewer, allowed, batch)
        announce_batch(viewer, batch, PAPER)
    return tokens


def announce_batch(viewer: Viewer, batch: uuid.UUID, way: str) -> int:
    """Record how many people were invited together, so that other administrators get one mail; return it."""
    count = db.session.scalar(select(func.count()).where(Invitation.batch == batch)) or 0
    if count:
        log("accounts.invited", actor_id=viewer.person_id, people=count, by=way, batch=str(batch))
    return count


def _queue_invitations(
    viewer: Viewer, people: Collection[int], *, batch: uuid.UUID, at: datetime, hours: SendWindow
) -> None:
    if not people:
        return
    columns = {"kind": MessageKind.INVITATION, "state": Delivery.WAITING, "created_at": at, "tries": 0}
    columns |= {"not_before": hours.next_allowed(at), "reason": ""}
    references = {person_id: uuid.uuid4() for person_id in people}
    rows = [{"person_id": person_id, "reference": references[person_id], **columns} for person_id in people]
    db.session.execute(insert(Message), rows)
    statement = select(Message.person_id, Message.id).where(Message.reference.in_(references.values()))
    invitations = [
        {**_invitation_columns(viewer, person_id, batch, at), "message_id": message_id}
        for person_id, message_id in db.session.execute(statement)
    ]
    db.session.execute(insert(Invitation), invitations)
    for person_id in people:
        log_one_of_many("account.invited", actor_id=viewer.person_id, subject_id=person_id, by=MAIL)


def _invitation_columns(viewer: Viewer, person_id: int, batch: uuid.UUID, at: datetime) -> dict[str, object]:
    columns = {"person_id": person_id, "batch": batch, "invited_at": at, "invited_by_id": viewer.person_id}
    return {**columns, "message_id": None, "expires_at": None, "used_at": None}


def _log_printing(viewer: Viewer, people: Collection[int], batch: uuid.UUID) -> None:
    """Record a printed link for each of these people; those with an address get an email about it."""
    with_email = select(PersonName.person_id).where(
        PersonName.person_id.in_(people), PersonName.email.is_not(None)
    )
    reachable = set(db.session.scalars(with_email))
    for person_id in people:
        record = log if person_id in reachable else log_one_of_many
        acted = {"actor_id": viewer.person_id, "subject_id": person_id}
        record("account.invited", **acted, by=PAPER, batch=str(batch))


def _is_waiting(person_id: int) -> bool:
    """Whether an invitation to the person waits for the relay, or is being sent."""
    waiting = select(Message.id).where(
        Message.person_id == person_id,
        Message.kind == MessageKind.INVITATION,
        Message.state.in_((Delivery.WAITING, Delivery.SENDING)),
    )
    return db.session.scalar(waiting.limit(1)) is not None
