"""Queues notices about accounts: emails about a grant, a link or a closing, in the act's transaction."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import exists, insert, select

from portal.domain.accounts.models import Credential
from portal.domain.directives.applies import split_into_batches
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import viewer_of
from portal.domain.people.visibility import is_granted_to, is_valid_on, visible_people
from portal.domain.reminders.message_texts import NO_ADDRESS
from portal.domain.reminders.models import Delivery, Message, MessageKind, NoticeLine
from portal.domain.reminders.sending import relay_is_set
from portal.platform import clock
from portal.platform.audit import ANNOUNCED_TO_OWNER, AuditEvent, is_alert, list_announced
from portal.platform.db import db
from portal.platform.jobs import services as jobs
from portal.platform.permissions import Permission, Role

JOB = "notices"


def queue_notices(acts: Sequence[AuditEvent]) -> None:
    """Queue a message about these acts to the owner of each account and to its other administrators.

    Alerts go to administrators alone. Other acts are passed over.

    One message for each person and transaction, to the address known now. A message to somebody without an
    address is recorded as failed, so that it is seen. A worker sends the others at once.

    Args:
        acts: The audit events of this transaction.
    """
    announced = list_announced() | ANNOUNCED_TO_OWNER
    announced_acts = [act for act in acts if act.action in announced or is_alert(act)]
    if not announced_acts:
        return
    readers = _events_by_reader(announced_acts)
    emails = _emails_by_person(readers)
    at = clock.now()
    rows: list[dict[str, Any]] = []
    for person_id in readers:
        email = emails.get(person_id)
        state, reason = (Delivery.WAITING, "") if email else (Delivery.FAILED, NO_ADDRESS)
        columns = {"kind": MessageKind.NOTICE, "created_at": at, "not_before": at, "tries": 0}
        row = {"reference": uuid.uuid4(), "person_id": person_id, "email": email}
        rows.append({**columns, **row, "state": state, "reason": reason})
    if not rows:
        return
    db.session.execute(insert(Message), rows)
    _write_lines(rows, readers)
    if relay_is_set() and any(row["state"] == Delivery.WAITING for row in rows):
        jobs.start_job_once(JOB, at)


def _write_lines(rows: Sequence[Mapping[str, Any]], readers: Mapping[int, Sequence[int]]) -> None:
    ids: dict[int, int] = {}
    for batch in split_into_batches([row["reference"] for row in rows]):
        statement = select(Message.person_id, Message.id).where(Message.reference.in_(batch))
        ids.update({person_id: message_id for person_id, message_id in db.session.execute(statement)})
    lines = [
        {"message_id": ids[person_id], "event_id": event_id}
        for person_id, events in readers.items()
        for event_id in events
    ]
    db.session.execute(insert(NoticeLine), lines)


def _events_by_reader(acts: Sequence[AuditEvent]) -> dict[int, list[int]]:
    """The events about which each person gets a message, by person, in the order of the acts.

    The owner of the account gets one, even if they acted, but not about an alert. So does each administrator
    of the whole force or of a unit of the owner's, unless they acted, it is the owner's own doing alone, or
    the act is one of many that another announces together.
    """
    today = clock.today()
    owners = {act.subject_id for act in acts if act.subject_id is not None}
    people_by_administrator = _people_by_administrator(owners, today)
    events: dict[int, list[int]] = defaultdict(list)
    for act in acts:
        if act.subject_id is not None and act.action in list_announced() | ANNOUNCED_TO_OWNER:
            events[act.subject_id].append(act.id)
        for administrator, people in people_by_administrator.items():
            is_one_of_many = act.action == "account.invited" and "batch" in act.detail
            is_for_owner = act.action in ANNOUNCED_TO_OWNER
            if administrator in {act.actor_id, act.subject_id} or is_one_of_many or is_for_owner:
                continue
            if people is None or act.subject_id in people:
                events[administrator].append(act.id)
    return events


def _people_by_administrator(people: set[int], day: date) -> dict[int, set[int] | None]:
    """The people about whom each administrator gets messages; None: everybody.

    Only administrators who could act on it: with a post and an account that is not closed.
    """
    g = RoleGrant
    has_post = exists().where(Post.person_id == g.person_id, is_known_fact(Post), is_valid_on(Post, day))
    closed = exists().where(Credential.person_id == g.person_id, Credential.closed_at.is_not(None))
    rows = db.session.execute(
        select(g.person_id, g.unit_id).where(
            is_granted_to(g.person_id, day), g.role == Role.ADMINISTRATOR, has_post, ~closed
        )
    ).all()
    people_of: dict[int, set[int] | None] = {person: None for person, unit_id in rows if unit_id is None}
    for administrator in {person for person, _ in rows if person not in people_of}:
        people_of[administrator] = _people_administered_by(administrator, people)
    return people_of


def _people_administered_by(administrator: int, people: set[int]) -> set[int]:
    """Those of these people who are in the administrator's units."""
    viewer = viewer_of(administrator)
    if viewer is None:
        return set()
    return set(db.session.scalars(visible_people(viewer, Permission.ACCOUNT_ADMINISTER, people)))


def _emails_by_person(people: Mapping[int, object]) -> dict[int, str | None]:
    emails: dict[int, str | None] = {}
    for batch in split_into_batches(sorted(people)):
        rows = select(PersonName.person_id, PersonName.email).where(PersonName.person_id.in_(batch))
        emails.update({person_id: email for person_id, email in db.session.execute(rows)})
    return emails
