"""Reading the outbox, the rules of directives, and whom a message is about."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.directives.models import Directive, DirectiveVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.reminders.models import (
    Delivery,
    Message,
    MessageKind,
    MessageLine,
    NoticeLine,
    ReminderRule,
    ReminderRun,
)
from portal.domain.reminders.rules import ReminderReason, ReminderRules
from portal.platform.audit.models import AuditEvent
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission, Role

ENDING_DAYS = (60, 30, 7)  # before a completion ends, where a directive says nothing else
NUDGE_DAYS = 7
UNSEEN = "somebody outside your units"


@dataclass(frozen=True, slots=True)
class ReminderDirective:
    """A directive as reminders need it: what it is called, and when it reminds."""

    id: int
    reference: str
    title: str
    rules: ReminderRules
    own_rules: bool  # else the usual ones


def directives_in_force(day: date) -> dict[int, ReminderDirective]:
    """Every directive in force on ``day``, by id. Two statements."""
    held = {row.directive_id: row for row in db.session.scalars(select(ReminderRule))}
    found: dict[int, ReminderDirective] = {}
    statement = (
        select(Directive, DirectiveVersion)
        .join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .where(is_known_fact(DirectiveVersion), DirectiveVersion.effective_on <= day)
        .order_by(DirectiveVersion.effective_on, DirectiveVersion.number)
    )
    for directive, version in db.session.execute(statement):
        found.pop(directive.id, None)
        if version.withdrawn:
            continue
        own = held.get(directive.id)
        rules = _default_rules(version) if own is None else _own_rules(own)
        found[directive.id] = ReminderDirective(
            directive.id, directive.reference, version.title, rules, own is not None
        )
    return found


def _default_rules(version: DirectiveVersion) -> ReminderRules:
    return ReminderRules(notice_days=tuple(version.notice_days), ending_days=ENDING_DAYS)


def _own_rules(row: ReminderRule) -> ReminderRules:
    return ReminderRules(
        tuple(row.notice_days), row.overdue_every, row.escalate_after, tuple(row.ending_days)
    )


def directive_named(reference: str, day: date) -> ReminderDirective:
    """The directive in force with this reference.

    Raises:
        NotFoundError: There is none.
    """
    for one in directives_in_force(day).values():
        if one.reference == reference:
            return one
    raise NotFoundError(f"No directive {reference} is in force.")


def last_planned() -> date | None:
    """The newest day for which reminders were planned."""
    return db.session.scalar(select(func.max(ReminderRun.day)))


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who may be written to."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None
    has_post: bool

    @property
    def full_name(self) -> str:
        """As a letter says it."""
        return f"{self.forenames} {self.surname}".strip()

    @property
    def listed_name(self) -> str:
        """As tables say it."""
        return f"{self.surname}, {self.forenames}"


def list_addressees(people: Collection[int], day: date) -> dict[int, Addressee]:
    """Those of ``people`` who still have a name, by id; batches of five hundred a statement."""
    has_post = (
        select(Post.id)
        .where(Post.person_id == PersonName.person_id, is_valid_on(Post, day), is_known_fact(Post))
        .exists()
        .correlate(PersonName)
    )
    found = {}
    for some in split_into_batches(sorted(people)):
        statement = select(PersonName, has_post).where(PersonName.person_id.in_(some))
        for row, posted in db.session.execute(statement):
            found[row.person_id] = Addressee(
                row.person_id, row.staff_number, row.surname, row.forenames, row.email, bool(posted)
            )
    return found


def email_of(person_id: int) -> str | None:
    """The person's address as it is known now."""
    return db.session.scalar(select(PersonName.email).where(PersonName.person_id == person_id))


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """One reason of a message."""

    directive_id: int
    about_id: int
    reason: ReminderReason
    asked_by_id: int | None = None


def lines_of(message_ids: Collection[int]) -> dict[int, list[ReminderLine]]:
    """The reasons of these messages, by message, in the order in which they came. One statement."""
    found: dict[int, list[ReminderLine]] = {message_id: [] for message_id in message_ids}
    statement = select(MessageLine).where(MessageLine.message_id.in_(message_ids)).order_by(MessageLine.id)
    for row in db.session.scalars(statement):
        line = ReminderLine(row.directive_id, row.about_id, ReminderReason(row.reason), row.asked_by_id)
        found[row.message_id].append(line)
    return found


def acts_of(message_id: int) -> list[AuditEvent]:
    """The acts that a notice reports, in their order. One statement."""
    acts = select(AuditEvent).join(NoticeLine, NoticeLine.event_id == AuditEvent.id)
    return list(db.session.scalars(acts.where(NoticeLine.message_id == message_id).order_by(AuditEvent.id)))


def to_send(now: datetime, limit: int, kinds: Collection[MessageKind]) -> list[tuple[int, MessageKind]]:
    """Messages of these kinds whose time has come: notices first, then the longest waiting."""
    statement = (
        select(Message.id, Message.kind)
        .where(Message.state == Delivery.WAITING, Message.not_before <= now, Message.kind.in_(kinds))
        .order_by(Message.kind, Message.not_before, Message.id)
        .limit(limit)
    )
    return [(message_id, MessageKind(kind)) for message_id, kind in db.session.execute(statement)]


def waiting_of(people: Collection[int]) -> dict[int, int]:
    """The reminder that waits for each of these people, by person."""
    found = {}
    for named in split_into_batches(sorted(people)):
        some = Message.person_id.in_(named)
        waits = (Message.state == Delivery.WAITING, Message.kind == MessageKind.REMINDER)
        statement = select(Message.person_id, Message.id).where(*waits, some)
        found.update({person_id: message_id for person_id, message_id in db.session.execute(statement)})
    return found


def nudged_at(about_id: int, directive_id: int) -> datetime | None:
    """When somebody was last asked to be nudged about a directive; dropped ones do not count."""
    return db.session.scalar(
        select(func.max(MessageLine.created_at))
        .join(Message, Message.id == MessageLine.message_id)
        .where(
            MessageLine.about_id == about_id,
            MessageLine.directive_id == directive_id,
            MessageLine.reason == ReminderReason.NUDGE,
            Message.state != Delivery.DROPPED,
        )
    )


def may_nudge_again(last: datetime | None) -> datetime | None:
    """From when somebody nudged at ``last`` may be nudged again; None: now."""
    return None if last is None else last + timedelta(days=NUDGE_DAYS)


@dataclass(frozen=True, slots=True)
class NoticeCounts:
    """How many notices about accounts wait or did not arrive."""

    waiting: int
    lost: int  # refused, given up, or came back
    alone: bool  # nobody else administers the whole force


def count_notices(viewer: Viewer, day: date) -> NoticeCounts:
    """Count the notices to people whom the viewer may see. Two statements."""
    counted = (
        select(Message.state, func.count()).where(
            _visible_messages(viewer), Message.kind == MessageKind.NOTICE
        )
    ).group_by(Message.state)
    count_by_state = {state: count for state, count in db.session.execute(counted)}
    others = exists().where(
        is_valid_on(RoleGrant, day),
        RoleGrant.ended_at.is_(None),
        RoleGrant.role == Role.ADMINISTRATOR,
        RoleGrant.unit_id.is_(None),
        RoleGrant.person_id != viewer.person_id,
    )
    return NoticeCounts(
        waiting=count_by_state.get(Delivery.WAITING, 0),
        lost=sum(
            count_by_state.get(state, 0) for state in (Delivery.REFUSED, Delivery.FAILED, Delivery.BOUNCED)
        ),
        alone=not db.session.scalar(select(others)),
    )


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row of the outbox."""

    reference: UUID
    staff_number: str
    name: str
    state: Delivery
    created_at: datetime
    not_before: datetime
    sent_at: datetime | None
    tries: int
    reason: str
    lines: tuple[str, ...]  # in words


_WORDS = {
    ReminderReason.NOTICE: "due soon",
    ReminderReason.OVERDUE: "overdue",
    ReminderReason.ENDING: "ends soon",
    ReminderReason.ESCALATION: "overdue, to the line manager",
    ReminderReason.NUDGE: "nudged by a manager",
}


_ACTS = {
    "role.granted": "role given",
    "role.revoked": "role ended",
    "account.invited": "password link made",
    "account.closed": "closed",
    "account.opened": "opened again",
}
MOST_SAID = 10  # acts of one message, in the outbox


def in_words(reason: ReminderReason) -> str:
    """Why, in a few words."""
    return _WORDS[reason]


def count_by_delivery(viewer: Viewer) -> dict[Delivery, int]:
    """How many messages to people the viewer may see are in each state; every state named."""
    statement = select(Message.state, func.count()).where(_visible_messages(viewer)).group_by(Message.state)
    held = {Delivery(state): count for state, count in db.session.execute(statement)}
    return {state: held.get(state, 0) for state in Delivery}


def list_outbox(viewer: Viewer, state: Delivery | None, offset: int, limit: int) -> list[OutboxRow]:
    """A slice of the outbox, the newest first, as far as the viewer sees the addressees. Two statements."""
    statement: Select[Message, PersonName] = select(Message, PersonName).outerjoin(
        PersonName, PersonName.person_id == Message.person_id
    )
    statement = statement.where(_visible_messages(viewer), *([Message.state == state] if state else []))
    statement = statement.order_by(Message.created_at.desc(), Message.id.desc()).offset(offset).limit(limit)
    rows = db.session.execute(statement).all()
    said = _lines_in_words(viewer, [message.id for message, _ in rows])
    return [_outbox_row(message, name, said.get(message.id, [])) for message, name in rows]


def get_message(viewer: Viewer, reference: UUID) -> Message:
    """One message.

    Raises:
        NotFoundError: There is none, or the viewer may not see its addressee.
    """
    found = db.session.scalar(
        select(Message).where(Message.reference == reference, _visible_messages(viewer))
    )
    if found is None:
        raise NotFoundError("There is no such message.")
    return found


def visible_person_ids(viewer: Viewer) -> set[int]:
    """Ids of everybody the viewer may see."""
    return set(db.session.scalars(visible_people(viewer)))


def _visible_messages(viewer: Viewer) -> ColumnElement[bool]:
    """That a message is the viewer's own, or to and about people they may see.

    Notices about accounts are shown only to those who administer accounts.
    """
    people = visible_people(viewer)
    lines = select(MessageLine.id).where(MessageLine.message_id == Message.id)
    about_seen = lines.where(MessageLine.about_id.in_(people)).correlate(Message).exists()
    about_visible = or_(about_seen, ~lines.correlate(Message).exists())
    seen = or_(and_(Message.person_id.in_(people), about_visible), Message.person_id == viewer.person_id)
    if Permission.ACCOUNT_ADMINISTER in viewer.permissions:
        return seen
    return and_(seen, Message.kind == MessageKind.REMINDER)


def _lines_in_words(viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    about = aliased(PersonName)
    is_seen = MessageLine.about_id.in_(visible_people(viewer))
    name = case((~is_seen, UNSEEN), else_=func.coalesce(about.forenames + " " + about.surname, "Erased"))
    statement = (
        select(MessageLine, Directive.reference, name, Message.person_id)
        .join(Directive, Directive.id == MessageLine.directive_id)
        .join(Message, Message.id == MessageLine.message_id)
        .outerjoin(about, about.person_id == MessageLine.about_id)
        .where(MessageLine.message_id.in_(ids), or_(is_seen, Message.person_id == viewer.person_id))
        .order_by(MessageLine.id)
    )
    found: dict[int, list[str]] = {}
    for line, reference, named, addressee in db.session.execute(statement):
        of = "" if line.about_id == addressee else f", {named}"
        found.setdefault(line.message_id, []).append(
            f"{reference}: {in_words(ReminderReason(line.reason))}{of}"
        )
    return found | _acts_in_words(viewer, ids)


def _acts_in_words(viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    about = aliased(PersonName)
    is_seen = AuditEvent.subject_id.in_(visible_people(viewer))
    name = case((~is_seen, UNSEEN), else_=func.coalesce(about.forenames + " " + about.surname, "Erased"))
    statement = (
        select(NoticeLine.message_id, AuditEvent.action, name)
        .join(AuditEvent, AuditEvent.id == NoticeLine.event_id)
        .outerjoin(about, about.person_id == AuditEvent.subject_id)
        .where(NoticeLine.message_id.in_(ids))
        .order_by(NoticeLine.id)
    )
    words: dict[int, list[str]] = {}
    for message_id, action, named in db.session.execute(statement):
        words.setdefault(message_id, []).append(f"Account: {_ACTS.get(action, action)}, {named}")
    return {one: [*acts[:MOST_SAID], *_words_of_rest(acts)] for one, acts in words.items()}


def _words_of_rest(acts: Sequence[str]) -> list[str]:
    return [f"and {len(acts) - MOST_SAID} more"] if len(acts) > MOST_SAID else []


def _outbox_row(row: Message, name: PersonName | None, lines: Iterable[str]) -> OutboxRow:
    number, listed = (name.staff_number, f"{name.surname}, {name.forenames}") if name else ("", "Erased")
    state = Delivery(row.state)
    times = (row.created_at, row.not_before, row.sent_at, row.tries, row.reason)
    return OutboxRow(row.reference, number, listed, state, *times, tuple(lines))
