"""Composes mails with a link to set a password; the link is made here, when the mail is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update

from portal.domain.accounts import delivered_links
from portal.domain.accounts.delivered_links import INVITATION_LIFETIME
from portal.domain.accounts.models import Invitation
from portal.domain.accounts.services import LINK_LIFETIME
from portal.domain.accounts.sign_in import ways
from portal.domain.reminders.invitations.candidates import shares_email
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Message, MessageKind
from portal.domain.reminders.queries import Addressee, list_addressees
from portal.platform import wording as say
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.mail.smtp import Letter

RESET_WAITS = timedelta(hours=24)  # after which nobody waits for the mail any more


@dataclass(frozen=True, slots=True)
class LinkLetter:
    """A mail with a link to set a password, or one that says why there is none."""

    letter: Letter
    token: str  # of the link; stored nowhere. Empty: it has none


def compose_link_mail(row: Message, *, now: datetime, portal: PortalDetails) -> LinkLetter | NothingToSend:
    """Make the link of an invitation or a reset, and compose its mail, or say why there is none.

    Args:
        row: The message, which another sender cannot have.
        now: This instant, from which the link's life is counted.
        portal: The portal that sends it.
    """
    reader = list_addressees([row.person_id], london_day(now)).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    state = _read_state(row.person_id, now)
    is_invitation = row.kind == MessageKind.INVITATION
    reason = _reason_against(row, state, now)
    if reason:
        return NothingToSend(reason)
    if state.lacks_factor and not is_invitation:
        return LinkLetter(_compose_without_link(reader, portal, can_sign_in=state.can_sign_in), "")
    lifetime = INVITATION_LIFETIME if is_invitation else LINK_LIFETIME
    token = delivered_links.add_link(row.person_id, lifetime, now, may_enrol=is_invitation)
    log("account.link_sent", actor_id=None, subject_id=row.person_id, purpose=row.kind)
    if is_invitation:
        db.session.execute(update(Message).where(Message.id == row.id).values(email=reader.email))
    link, until = f"{portal.address}/set-password/{token}", say.instant(now + lifetime)
    if not is_invitation:
        return LinkLetter(_compose_reset(reader, link, until, portal), token)
    return LinkLetter(_compose_invitation(reader, link, until, portal, adds_factor=state.lacks_factor), token)


def record_delivery(message_id: int, token: str, at: datetime) -> None:
    """Record that the relay accepted a mail with this link: the person's earlier links end.

    An empty token is that of a mail without a link.
    """
    expires_at = delivered_links.replace_earlier_links(token, at) if token else None
    if expires_at is not None:
        invitation = update(Invitation).where(Invitation.message_id == message_id)
        db.session.execute(invitation.values(expires_at=expires_at))


class _AccountState(NamedTuple):
    """What decides whether a person is sent a link, and which."""

    is_closed: bool
    shares_email: bool
    may_use_password: bool
    can_sign_in: bool
    lacks_factor: bool


def _read_state(person_id: int, now: datetime) -> _AccountState:
    rules = ways.current_rules(london_day(now))
    row = db.session.execute(
        select(
            ways.is_closed(person_id),
            shares_email(person_id),
            ways.may_use_password(person_id, rules),
            ways.can_sign_in(person_id, rules),
            ways.lacks_factor(person_id, rules),
        )
    ).one()
    return _AccountState(*row)


def _reason_against(row: Message, state: _AccountState, now: datetime) -> str:
    """Why the person gets no link now; empty if they get one."""
    if state.is_closed:
        return "The account is closed."
    if state.shares_email:
        return "Another person has the same email address."
    if not state.may_use_password:
        return "This person cannot sign in with a password."
    if row.kind == MessageKind.RESET:
        return "Asked for too long ago." if row.created_at < now - RESET_WAITS else ""
    if state.can_sign_in:
        return "This person can sign in already."
    newest = select(func.max(Invitation.id)).where(Invitation.person_id == row.person_id)
    own = select(Invitation.id).where(Invitation.message_id == row.id)
    if db.session.scalar(newest) != db.session.scalar(own):
        return "A newer invitation replaces this one."
    return ""


def _compose_invitation(
    reader: Addressee, link: str, until: str, portal: PortalDetails, *, adds_factor: bool
) -> Letter:
    first = "Choose a password, then add a second factor, which your role needs:"
    paragraphs = [
        Paragraph(
            f"{portal.force} has an account for you in its learning portal, for your training and your "
            "records. " + (first if adds_factor else "Choose a password:"),
            link=link,
        ),
        Paragraph(f"The link works once, until {until}. Do not forward this email."),
        Paragraph(
            f"Then sign in with your staff number, {reader.staff_number}, or this email address:",
            link=f"{portal.address}/sign-in",
        ),
        *_help_paragraphs("If the link no longer works, or you did not expect this email:", portal),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal to the address in its roster. Replies are not "
        "read."
    )
    return compose_letter(reader, "Set your password for the learning portal", paragraphs, foot=foot)


def _compose_reset(reader: Addressee, link: str, until: str, portal: PortalDetails) -> Letter:
    paragraphs = [
        Paragraph(
            f"Somebody asked for a link to set a new password for your account, {reader.staff_number}. If it "
            "was you, set it here:",
            link=link,
        ),
        Paragraph(f"The link works once, until {until}. Do not forward this email."),
        Paragraph(
            "If it was not you, do nothing. Your password is not changed, and only you have this link."
        ),
        *_help_paragraphs("If this happens again, report it. This page says who to contact:", portal),
    ]
    return compose_letter(reader, "A link to set a new password", paragraphs, foot=_asked_for(portal))


def _compose_without_link(reader: Addressee, portal: PortalDetails, *, can_sign_in: bool) -> Letter:
    """Such a link would set a password that opens nothing, and end an invitation that does."""
    advice = (
        "If it was you, sign in with your force account. You do not need a password here."
        if can_sign_in  # without a password and a factor: by the force's provider
        else "If it was you, use the link of your invitation, which works for 7 days, or ask an "
        "administrator of the portal for another."
    )
    paragraphs = [
        Paragraph(
            f"Somebody asked for a link to set a new password for your account, {reader.staff_number}. We "
            "have not sent one: your role needs a second factor, you have none yet, and a link by email "
            "cannot add one."
        ),
        Paragraph(advice),
        Paragraph("If it was not you, do nothing. Your password is not changed."),
        *_help_paragraphs("If this happens again, report it. This page says who to contact:", portal),
    ]
    subject = "Sign in with your force account" if can_sign_in else "You need a link from an administrator"
    return compose_letter(reader, subject, paragraphs, foot=_asked_for(portal))


def _asked_for(portal: PortalDetails) -> str:
    return (
        f"{portal.force} sent this from its learning portal because a link was asked for at its sign-in "
        "page. Replies are not read."
    )


def _help_paragraphs(words: str, portal: PortalDetails) -> Sequence[Paragraph]:
    return (Paragraph(words, link=f"{portal.address}/sign-in/help"),)
