"""Mails about files that were not imported: one for a night, without their values."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import exists, insert, select

from portal.domain.accounts.models import Credential
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
from portal.domain.reminders.sending import mail_hours
from portal.features.watched_folder.folder import read_own_settings
from portal.features.watched_folder.importing import list_files
from portal.features.watched_folder.models import FolderFile
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.mail import Letter
from portal.platform.permissions import Permission, roles_with
from portal.platform.wording import plural

# About which those who look after imports get a mail.
ANNOUNCED = frozenset({"folder.quarantined", "folder.waiting"})
_STATES = {"waiting": "waits for a person", "quarantined": "was set aside"}


def queue_folder_mails(acts: Sequence[AuditEvent]) -> None:
    """Queue a mail about these acts of the watched folder; other acts are passed over.

    Each reader has one waiting mail at most: what happens before it goes is added to it.

    Args:
        acts: The audit events of this transaction.
    """
    events = [act for act in acts if act.action in ANNOUNCED]
    if not events:
        return
    at, readers = clock.now(), read_own_settings().readers
    people = _people_with_numbers(readers) if readers else _list_importers(clock.london_day(at))
    waiting = _waiting_mails(people)
    rows = [
        {"reference": uuid.uuid4(), "person_id": person_id, "kind": MessageKind.FOLDER, "tries": 0}
        | {"state": Delivery.WAITING, "created_at": at, "not_before": mail_hours().next_allowed(at)}
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
