"""Mails about work that waits: review dates, files of the watched folder."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import exists, insert, select

from portal.domain.accounts.models import Credential
from portal.domain.catalogue.upkeep import DueReview, list_due_reviews
from portal.domain.imports.folder import list_files
from portal.domain.imports.models import FolderFile
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.visibility import is_granted_to, is_valid_on
from portal.domain.reminders import queries
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind, NoticeLine
from portal.domain.reminders.queries import list_addressees
from portal.domain.reminders.rules import SendWindow
from portal.platform import clock
from portal.platform.audit import ANNOUNCED_TO_IMPORTERS, AuditEvent
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


# Mails about files of the watched folder that were not imported: one for a night, without their values.

_STATES = {"waiting": "waits for a person", "quarantined": "was set aside"}


def queue_folder_mails(
    acts: Sequence[AuditEvent], readers: Sequence[str], hours: Callable[[], SendWindow]
) -> None:
    """Queue a mail about these acts of the watched folder; other acts are passed over.

    Each reader has one waiting mail at most: what happens before it goes is added to it.

    Args:
        acts: The audit events of this transaction.
        readers: Staff numbers; empty: everybody who may import for the whole force.
        hours: Gives when mail may be sent.
    """
    events = [act for act in acts if act.action in ANNOUNCED_TO_IMPORTERS]
    if not events:
        return
    at = clock.now()
    people = _people_with_numbers(readers) if readers else _list_importers(clock.london_day(at))
    waiting = _waiting_mails(people)
    rows = [
        {"reference": uuid.uuid4(), "person_id": person_id, "kind": MessageKind.FOLDER, "tries": 0}
        | {"state": Delivery.WAITING, "created_at": at, "not_before": hours().next_allowed(at)}
        for person_id in sorted(people - waiting.keys())
    ]
    if rows:
        db.session.execute(insert(Message), rows)
    lines = [
        {"message_id": message_id, "event_id": event.id}
        for message_id in _waiting_mails(people).values()
        for event in events
    ]
    if lines:
        db.session.execute(insert(NoticeLine), lines)


def _waiting_mails(people: set[int]) -> dict[int, int]:
    """The waiting mail about the folder of each of these people who has one."""
    statement = select(Message.person_id, Message.id).where(
        Message.kind == MessageKind.FOLDER, Message.state == Delivery.WAITING, Message.person_id.in_(people)
    )
    statement = statement.with_for_update()  # so that none is sent before what is added to it is committed
    return {person_id: message_id for person_id, message_id in db.session.execute(statement)}


def _people_with_numbers(numbers: Sequence[str]) -> set[int]:
    return set(db.session.scalars(select(PersonName.person_id).where(PersonName.staff_number.in_(numbers))))


def _list_importers(day: date) -> set[int]:
    """Everybody with a post and an open account who may import for the whole force."""
    grant = RoleGrant
    has_post = exists().where(Post.person_id == grant.person_id, is_known_fact(Post), is_valid_on(Post, day))
    closed = exists().where(Credential.person_id == grant.person_id, Credential.closed_at.is_not(None))
    roles = sorted(roles_with(Permission.ROSTER_IMPORT))
    rows = select(grant.person_id).where(
        is_granted_to(grant.person_id, day), grant.role.in_(roles), grant.unit_id.is_(None), has_post, ~closed
    )
    return set(db.session.scalars(rows))


def compose_folder_mail(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail about files that still wait or are set aside, or say why there is none."""
    reader = queries.list_addressees([row.person_id], clock.london_day(now)).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    files = list_files({act.detail["file"] for act in queries.read_acts(row.id)})
    files = [file for file in files if file.state in _STATES]
    if not files:
        return NothingToSend("Not needed any more.")
    subject = f"{plural(len(files), 'file was', 'files were')} not imported"
    paragraphs = [
        *(_paragraph_about(file) for file in files),
        Paragraph("See these files, with the reasons in full:", link=f"{portal.address}/imports"),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal because you look after imports. Values of the "
        "files are left out. Replies are not read."
    )
    return compose_letter(reader, subject, paragraphs, foot=foot)


def _paragraph_about(file: FolderFile) -> Paragraph:
    return Paragraph(f"{file.kind}/{file.profile}/{file.name} {_STATES[file.state]}:", tuple(file.reasons))
