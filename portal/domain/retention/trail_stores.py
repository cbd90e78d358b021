"""Stores of traces: the audit trail, the log of sign-ins and looks, emails, and finished imports."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, null, select, update

from portal.domain.accounts.models import Invitation
from portal.domain.imports.models import ImportRun
from portal.domain.reminders.models import Delivery, Message, MessageLine, NoticeLine, ReportMail
from portal.domain.retention.classes import ACCESS_ACTIONS
from portal.domain.retention.stores import DueRows, Limit, People, Store, has_row
from portal.platform.audit.models import AuditEvent, FilePeople
from portal.platform.db import db

REMOVED = "(name removed)"  # instead of the name of an imported file
_event = AuditEvent


def _due_events(limit: Limit, of_class: ColumnElement[bool]) -> DueRows:
    """Entries of the audit trail; one that an email reports goes after the email."""
    is_reported = has_row(NoticeLine.event_id, _event.id)
    source = select().select_from(_event)
    source = source.where(_event.happened_at < limit.before_at, of_class, ~is_reported)
    people = (_event.actor_id, _event.subject_id)
    return DueRows(_event.id, _event.happened_at, source, people, _holds_a_file)


def _holds_a_file(held_people: People) -> ColumnElement[bool]:
    """The condition that an entry is of a file, while a hold on anybody stands.

    Whom a file held is packed: no statement can look for one person, so all files are kept meanwhile.
    """
    return and_(has_row(FilePeople.event_id, _event.id), exists(held_people.subquery().select()))


def _due_looks(limit: Limit) -> DueRows:
    return _due_events(limit, _event.action.in_(ACCESS_ACTIONS))


def _due_acts(limit: Limit) -> DueRows:
    return _due_events(limit, _event.action.not_in(ACCESS_ACTIONS))


def _remove_events(ids: Sequence[Any]) -> None:
    """Remove entries; the database lets this through for a granted disposal alone."""
    db.session.execute(delete(FilePeople).where(FilePeople.event_id.in_(ids)))
    db.session.execute(delete(_event).where(_event.id.in_(ids)))


ACCESS = (Store("entries about sign-ins and looks", _due_looks, _remove_events),)
AUDIT = (Store("entries of the audit trail", _due_acts, _remove_events),)

_OPEN = (Delivery.WAITING, Delivery.SENDING)


def _due_messages(limit: Limit) -> DueRows:
    source = select().select_from(Message)
    source = source.where(Message.created_at < limit.before_at, Message.state.not_in(_OPEN))
    return DueRows(Message.id, Message.created_at, source, (Message.person_id,), _is_about)


def _is_about(held_people: People) -> ColumnElement[bool]:
    return has_row(MessageLine.message_id, Message.id, MessageLine.about_id.in_(held_people))


def _remove_messages(ids: Sequence[Any]) -> None:
    for table in (NoticeLine, MessageLine, ReportMail, Invitation):
        db.session.execute(delete(table).where(table.message_id.in_(ids)))
    db.session.execute(delete(Message).where(Message.id.in_(ids)))


MAIL = (Store("emails", _due_messages, _remove_messages),)


def _due_imports(limit: Limit) -> DueRows:
    source = select().select_from(ImportRun)
    source = source.where(ImportRun.ended_at < limit.before_at, ImportRun.file_name != REMOVED)
    return DueRows(ImportRun.id, ImportRun.ended_at, source)


def _remove_names(ids: Sequence[Any]) -> None:
    db.session.execute(
        update(ImportRun).where(ImportRun.id.in_(ids)).values(file_name=REMOVED, columns=null()),
        execution_options={"synchronize_session": False},
    )


IMPORTS = (Store("names of imported files", _due_imports, _remove_names),)
