"""Mails about work that waits: review dates."""

import uuid
from datetime import date, datetime

from sqlalchemy import exists, insert, select

from portal.domain.accounts.models import Credential
from portal.domain.catalogue.upkeep import DueReview, list_due_reviews
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.visibility import is_granted_to, is_valid_on
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.queries import list_addressees
from portal.domain.reminders.rules import SendWindow
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.mail import Letter
from portal.platform.permissions import Permission, roles_with
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

# Mails to authors about review dates: one a month while something is to be reviewed.


def queue_review_mails(day: date, *, at: datetime, hours: SendWindow) -> int:
    """Queue a mail to every author who got none this month, if something is to be reviewed; return how many.

    Args:
        day: The London day of ``at``.
        at: This instant.
        hours: When mail may be sent.
    """
    if not list_due_reviews(day):
        return 0
    authors = _list_authors(day) - _mailed_in_month(day)
    people = list_addressees(sorted(authors), day)
    columns = {"kind": MessageKind.REVIEW, "state": Delivery.WAITING, "created_at": at, "tries": 0}
    columns["not_before"] = hours.next_allowed(at)
    rows = [
        {"reference": uuid.uuid4(), "person_id": person.person_id} | columns
        for person in people.values()
        if person.has_post and person.email
    ]
    if rows:
        db.session.execute(insert(Message), rows)
    return len(rows)


def _list_authors(day: date, among: int | None = None) -> set[int]:
    """Everybody who may edit drafts on ``day``, with a post and an account that is not closed."""
    grant = RoleGrant
    has_post = exists().where(Post.person_id == grant.person_id, is_known_fact(Post), is_valid_on(Post, day))
    closed = exists().where(Credential.person_id == grant.person_id, Credential.closed_at.is_not(None))
    roles = sorted(roles_with(Permission.DRAFT_EDIT))
    statement = select(grant.person_id).where(
        is_granted_to(grant.person_id, day), grant.role.in_(roles), has_post, ~closed
    )
    if among is not None:
        statement = statement.where(grant.person_id == among)
    return set(db.session.scalars(statement))


def _mailed_in_month(day: date) -> set[int]:
    """Everybody for whom such a mail was queued in the London month of ``day``."""
    rows = db.session.execute(
        select(Message.person_id, Message.created_at).where(Message.kind == MessageKind.REVIEW)
    )
    month = (day.year, day.month)
    return {person_id for person_id, at in rows if (london_day(at).year, london_day(at).month) == month}


def compose_review_mail(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail about what is to be reviewed now, or say why there is none."""
    day = london_day(now)
    reader = list_addressees([row.person_id], day).get(row.person_id)
    if reader is None or row.person_id not in _list_authors(day, row.person_id):
        return NothingToSend("This person is no author any more.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    due = list_due_reviews(day)
    if not due:
        return NothingToSend("Not needed any more.")
    subject = f"{plural(len(due), 'text')} to review"
    paragraphs = [
        Paragraph(
            "The review date of these is past or near:", tuple(_review_line(each, day) for each in due)
        ),
        Paragraph("See all, with the sources to check again:", link=f"{portal.address}/authoring/_reviews"),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal because you are an author. It comes at most once "
        "a month, while something is to be reviewed. Replies are not read."
    )
    return compose_letter(reader, subject, paragraphs, foot=foot)


def _review_line(due: DueReview, day: date) -> str:
    verb = "was" if due.review_on < day else "is"
    return f"{due.title} (owner: {due.owner}), which {verb} to be reviewed by {date_words(due.review_on)}"
