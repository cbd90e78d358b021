"""Composes mails with a link to set a password; the link is made here, when the mail is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from config import current_settings
from portal.domain.accounts import delivered_links
from portal.domain.accounts.delivered_links import INVITATION_LIFETIME
from portal.domain.accounts.models import Credential, Invitation
from portal.domain.accounts.services import LINK_LIFETIME
from portal.domain.people.queries import viewer_of
from portal.domain.reminders.invitations import conditions
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
from portal.platform.permissions import Permission

RESET_WAITS = timedelta(hours=24)  # after which nobody waits for the mail any more


@dataclass(frozen=True, slots=True)
class LinkLetter:
    """A mail with a link to set a password."""

    letter: Letter
    token: str  # of the link; stored nowhere


def compose_link_mail(row: Message, *, now: datetime, portal: PortalDetails) -> LinkLetter | NothingToSend:
    """Make the link of an invitation or a reset, and compose its mail, or say why there is none.

    Args:
        row: The message, which another sender cannot have.
        now: This instant, from which the link's life is counted.
        portal: The portal that sends it.
    """
    is_invitation = row.kind == MessageKind.INVITATION
    reader = list_addressees([row.person_id], london_day(now)).get(row.person_id)
    reason = _reason_against(row, reader, now)
    if reason or reader is None:
        return NothingToSend(reason)
    lifetime = INVITATION_LIFETIME if is_invitation else LINK_LIFETIME
    token = delivered_links.add_link(row.person_id, lifetime, now)
    log("account.link_sent", actor_id=None, subject_id=row.person_id, purpose=row.kind)
    if is_invitation:
        db.session.execute(update(Message).where(Message.id == row.id).values(email=reader.email))
    link, until = f"{portal.address}/set-password/{token}", say.instant(now + lifetime)
    compose = _compose_invitation if is_invitation else _compose_reset
    return LinkLetter(compose(reader, link, until, portal), token)


def record_delivery(message_id: int, token: str, at: datetime) -> None:
    """Record that the relay accepted a mail with this link: the person's earlier links end.

    An empty token is that of a mail without a link.
    """
    expires_at = delivered_links.replace_earlier_links(token, at) if token else None
    if expires_at is not None:
        invitation = update(Invitation).where(Invitation.message_id == message_id)
        db.session.execute(invitation.values(expires_at=expires_at))


def _reason_against(row: Message, reader: Addressee | None, now: datetime) -> str:
    """Why the person gets no link now; empty if they get one."""
    if reader is None or not reader.has_post:
        return "This person has left or was erased."
    if not reader.email:
        return NO_ADDRESS
    credential = db.session.get(Credential, row.person_id, populate_existing=True)
    if credential is not None and credential.closed_at is not None:
        return "The account is closed."
    if db.session.scalar(select(conditions.shares_email(row.person_id))):
        return "Another person has the same email address."
    viewer = viewer_of(row.person_id)
    may_use_password = current_settings().passwords_for_everyone or (
        viewer is not None and Permission.ACCOUNT_ADMINISTER in viewer.permissions
    )
    if not may_use_password:
        return "This person cannot sign in with a password."
    if row.kind == MessageKind.RESET:
        return "Asked for too long ago." if row.created_at < now - RESET_WAITS else ""
    return _reason_against_invitation(row, credential)


def _reason_against_invitation(row: Message, credential: Credential | None) -> str:
    if credential is not None and credential.password_hash is not None:
        return "This person has set a password."
    if db.session.scalar(select(conditions.has_identity(row.person_id, current_settings().provider_issuer))):
        return "This person signs in with a force account."
    newest = select(func.max(Invitation.id)).where(Invitation.person_id == row.person_id)
    own = select(Invitation.id).where(Invitation.message_id == row.id)
    if db.session.scalar(newest) != db.session.scalar(own):
        return "A newer invitation replaces this one."
    return ""


def _compose_invitation(reader: Addressee, link: str, until: str, portal: PortalDetails) -> Letter:
    paragraphs = [
        Paragraph(
            f"{portal.force} has an account for you in its learning portal, for your training and your "
            "records. Choose a password:",
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
    foot = (
        f"{portal.force} sent this from its learning portal because a link was asked for at its sign-in "
        "page. Replies are not read."
    )
    return compose_letter(reader, "A link to set a new password", paragraphs, foot=foot)


def _help_paragraphs(words: str, portal: PortalDetails) -> Sequence[Paragraph]:
    return (Paragraph(words, link=f"{portal.address}/sign-in/help"),)
