"""The words of the pages of invitations."""

from datetime import datetime

from portal.domain.reminders.invitations.candidates import Candidate, Outcome
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


def outcome_labels(provider_label: str) -> dict[Outcome, str]:
    """What the page says of each outcome, in the order of its filter."""
    return {
        Outcome.INVITE: "Will be invited",
        Outcome.INVITED: "Invited already",
        Outcome.UNDELIVERED: "Did not arrive",
        Outcome.NO_EMAIL: "No email address",
        Outcome.SHARED_EMAIL: "Email address of two people",
        Outcome.ACCOUNT: "Has an account",
        Outcome.PROVIDER: f"Signs in with {provider_label}",
        Outcome.CLOSED: "Account closed",
        Outcome.OUTSIDE: "Outside your units",
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
        verb = "works until" if row.expires_at > now else "expired at"
        sentences.append(f"The link {verb} {instant(row.expires_at)}.")
    return sentences


def may_be_sent_again(row: Candidate) -> bool:
    """Whether the row offers to send another invitation: one went out, and was not used."""
    return row.outcome in {Outcome.INVITED, Outcome.UNDELIVERED} and row.state not in ON_THE_WAY
