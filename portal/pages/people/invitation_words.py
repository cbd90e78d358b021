"""The words of the pages of invitations."""

from datetime import datetime

from portal.domain.reminders.invitations.candidates import Candidate, InvitationOutcome
from portal.domain.reminders.models import Delivery
from portal.platform.wording import instant

STATE_WORDS = {
    Delivery.WAITING: "Waiting to be sent.",
    Delivery.SENDING: "Being sent.",
    Delivery.DROPPED: "Not sent.",
    Delivery.REFUSED: "Refused.",
    Delivery.FAILED: "Given up.",
    Delivery.BOUNCED: "Came back.",
}
ON_THE_WAY = {Delivery.WAITING, Delivery.SENDING}


def outcome_labels(provider_label: str, *, relay: bool) -> dict[InvitationOutcome, str]:
    """What the page says of each outcome, in the order of its filter.

    Args:
        provider_label: What people sign in with where passwords are for administrators.
        relay: Whether mail can be sent.
    """
    return {
        InvitationOutcome.INVITE: "Will be invited" if relay else "Needs a printed card",
        InvitationOutcome.INVITED: "Invited already",
        InvitationOutcome.UNDELIVERED: "Did not arrive",
        InvitationOutcome.NO_EMAIL: "No email address: print a card",
        InvitationOutcome.SHARED_EMAIL: "Email address of two people",
        InvitationOutcome.ACCOUNT: "Can sign in already",
        InvitationOutcome.PROVIDER: f"Signs in with {provider_label}",
        InvitationOutcome.CLOSED: "Account closed",
        InvitationOutcome.OUTSIDE: "Outside your units",
    }


def describe_candidate(row: Candidate, now: datetime) -> list[str]:
    """What became of the person's newest invitation, a sentence each; none if there is none.

    Args:
        row: The person.
        now: This instant.
    """
    if row.invited_at is None:
        return []
    sentences = [f"{'Printed' if row.is_printed else 'Invited'} at {instant(row.invited_at)}."]
    if row.state in STATE_WORDS:
        sentences.append(STATE_WORDS[Delivery(row.state)])
    elif row.sent_at is not None:
        sentences.append(f"Sent at {instant(row.sent_at)}.")
    if row.reason:
        sentences.append(row.reason)
    if row.used_at is not None:
        sentences.append(f"Used at {instant(row.used_at)}.")
    elif row.expires_at is not None and row.state != Delivery.BOUNCED:
        sentences.append(_describe_link(row.expires_at, now, has_link=row.has_link))
    return sentences


def _describe_link(expires_at: datetime, now: datetime, *, has_link: bool) -> str:
    if expires_at <= now:
        return f"The link expired at {instant(expires_at)}."
    if not has_link:
        return "The link no longer works."
    return f"The link works until {instant(expires_at)}."


def may_be_sent_again(row: Candidate) -> bool:
    """Whether the row offers to send another invitation: one went out, and was not used."""
    return (
        row.outcome in {InvitationOutcome.INVITED, InvitationOutcome.UNDELIVERED}
        and row.state not in ON_THE_WAY
    )
