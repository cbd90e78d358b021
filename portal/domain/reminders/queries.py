"""Queries about the outbox, the directives that remind, and the people of a message."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from portal.domain.accounts.grants import is_in_administration
from portal.domain.directives.applies import split_into_batches
from portal.domain.directives.models import Directive, DirectiveVersion
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.visibility import Viewer, is_granted_to, is_valid_on, visibility_of, visible_people
from portal.domain.reminders.models import (
    Delivery,
    Message,
    MessageKind,
    MessageLine,
    NoticeLine,
    ReminderRule,
    ReminderRun,
    UntoldManager,
    list_private_kinds,
)
from portal.domain.reminders.rules import ReminderReason, ReminderRules, lines_in_words, words_of_kind
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.permissions import SIGHT_ROLES, Permission, Role
from portal.platform.wording import date as date_words

ENDING_DAYS = (60, 30, 7)  # before a completion ends, unless a directive has its own rules
NUDGE_DAYS = 7


@dataclass(frozen=True, slots=True)
class ReminderDirective:
    """A directive as reminders need it: reference, title and when it reminds."""

    id: int
    reference: str
    title: str
    rules: ReminderRules
    own_rules: bool  # otherwise the usual ones


def directives_in_force(day: date) -> dict[int, ReminderDirective]:
    """Every directive in force on ``day``, by id. Two statements."""
    rule_by_directive = {row.directive_id: row for row in db.session.scalars(select(ReminderRule))}
    directives: dict[int, ReminderDirective] = {}
    statement = (
        select(Directive, DirectiveVersion)
        .join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .where(is_known_fact(DirectiveVersion), DirectiveVersion.effective_on <= day)
        .order_by(DirectiveVersion.effective_on, DirectiveVersion.number)
    )
    for directive, version in db.session.execute(statement):
        directives.pop(directive.id, None)
        if version.withdrawn:
            continue
        own_rule = rule_by_directive.get(directive.id)
        rules = _default_rules(version) if own_rule is None else _own_rules(own_rule)
        directives[directive.id] = ReminderDirective(
            directive.id, directive.reference, version.title, rules, own_rule is not None
        )
    return directives


def _default_rules(version: DirectiveVersion) -> ReminderRules:
    return ReminderRules(notice_days=tuple(version.notice_days), ending_days=ENDING_DAYS)


def _own_rules(row: ReminderRule) -> ReminderRules:
    return ReminderRules(
        tuple(row.notice_days), row.overdue_every, row.escalate_after, tuple(row.ending_days)
    )


def directive_named(reference: str, day: date) -> ReminderDirective:
    """The directive in force with this reference."""
    for directive in directives_in_force(day).values():
        if directive.reference == reference:
            return directive
    raise NotFoundError(f"No directive {reference} is in force.")


def last_planned_day() -> date | None:
    """The latest day for which reminders were planned; None: there is none yet."""
    return db.session.scalar(select(func.max(ReminderRun.day)))


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who may get a message, or be named in one."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None
    has_post: bool

    @property
    def full_name(self) -> str:
        """Forenames and surname, as a letter has them."""
        return f"{self.forenames} {self.surname}".strip()

    @property
    def listed_name(self) -> str:
        """Surname first, as tables have it."""
        return f"{self.surname}, {self.forenames}"


def list_addressees(people: Collection[int], day: date) -> dict[int, Addressee]:
    """The ``people`` who still have a name, by id; one statement for each five hundred."""
    has_post = (
        select(Post.id)
        .where(Post.person_id == PersonName.person_id, is_valid_on(Post, day), is_known_fact(Post))
        .exists()
        .correlate(PersonName)
    )
    addressees = {}
    for batch in split_into_batches(sorted(people)):
        statement = select(PersonName, has_post).where(PersonName.person_id.in_(batch))
        for row, with_post in db.session.execute(statement):
            addressees[row.person_id] = Addressee(
                row.person_id, row.staff_number, row.surname, row.forenames, row.email, bool(with_post)
            )
    return addressees


def email_of(person_id: int) -> str | None:
    """The person's email address now."""
    return db.session.scalar(select(PersonName.email).where(PersonName.person_id == person_id))


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """One reason for a reminder."""

    directive_id: int
    about_id: int
    reason: ReminderReason
    asked_by_id: int | None = None


def read_lines(message_ids: Collection[int]) -> dict[int, list[ReminderLine]]:
    """The reasons of these messages, by message, the first added first. One statement."""
    lines: dict[int, list[ReminderLine]] = {message_id: [] for message_id in message_ids}
    statement = select(MessageLine).where(MessageLine.message_id.in_(message_ids)).order_by(MessageLine.id)
    for row in db.session.scalars(statement):
        line = ReminderLine(row.directive_id, row.about_id, ReminderReason(row.reason), row.asked_by_id)
        lines[row.message_id].append(line)
    return lines


def read_acts(message_id: int) -> list[AuditEvent]:
    """The acts that a notice reports, in their order. One statement."""
    acts = select(AuditEvent).join(NoticeLine, NoticeLine.event_id == AuditEvent.id)
    return list(db.session.scalars(acts.where(NoticeLine.message_id == message_id).order_by(AuditEvent.id)))


# What somebody waits for at the sign-in page comes first, what comes every week last.
_URGENT_FIRST = (
    "reset", "event_cancelled", "event_moved", "place_offered", "notice", "invitation", "event_booked",
    "event_reminder", "reminder", "evidence_stale", "folder", "report", "clarity", "review", "recall",
)  # fmt: skip
_ORDER = {kind: place for place, kind in enumerate(_URGENT_FIRST)}


def list_due_messages(
    now: datetime, limit: int, kinds: Collection[MessageKind]
) -> list[tuple[int, MessageKind]]:
    """Messages of these kinds that may be sent now: by kind as in ``_ORDER``, then the longest waiting."""
    statement = (
        select(Message.id, Message.kind)
        .where(Message.state == Delivery.WAITING, Message.not_before <= now, Message.kind.in_(kinds))
        .order_by(case(_ORDER, value=Message.kind), Message.not_before, Message.id)
        .limit(limit)
    )
    return [(message_id, MessageKind(kind)) for message_id, kind in db.session.execute(statement)]


def waiting_reminders_of(people: Collection[int]) -> dict[int, int]:
    """The id of the waiting reminder of each of these people who has one, by person."""
    message_ids = {}
    for batch in split_into_batches(sorted(people)):
        statement = select(Message.person_id, Message.id).where(
            Message.state == Delivery.WAITING,
            Message.kind == MessageKind.REMINDER,
            Message.person_id.in_(batch),
        )
        message_ids.update({person_id: message_id for person_id, message_id in db.session.execute(statement)})
    return message_ids


_NUDGED = (MessageLine.reason == ReminderReason.NUDGE, Message.state != Delivery.DROPPED)


@dataclass(frozen=True, slots=True)
class LastNudge:
    """The newest nudge of somebody about a directive, so recent that they may not be nudged again yet."""

    at: datetime
    state: Delivery  # of its message

    @property
    def allowed_from(self) -> datetime:
        """From when they may be nudged again."""
        return self.at + timedelta(days=NUDGE_DAYS)

    def describe(self, name: str, reference: str) -> str:
        """What became of it, as a sentence."""
        if self.state is Delivery.SENT:
            return f"{name} was reminded of {reference} on {date_words(self.at)}."
        if self.state in (Delivery.WAITING, Delivery.SENDING):
            return f"A reminder of {reference} for {name} waits to be sent."
        return f"The reminder of {reference} for {name} of {date_words(self.at)} did not arrive."


def list_last_nudges(about_id: int, now: datetime) -> dict[int, LastNudge]:
    """The last nudge of somebody by directive, where they may not be nudged again yet. One statement."""
    statement = (
        select(MessageLine.directive_id, MessageLine.created_at, Message.state)
        .join(Message, Message.id == MessageLine.message_id)
        .where(MessageLine.about_id == about_id, *_NUDGED, _recent_at(now))
        .order_by(MessageLine.created_at, MessageLine.id)
    )
    rows = db.session.execute(statement)
    return {directive_id: LastNudge(at, Delivery(state)) for directive_id, at, state in rows}


def nudged_since(people: Collection[int], directive_id: int, now: datetime) -> dict[int, Delivery]:
    """Whoever of ``people`` was nudged about a directive so recently that they may not be nudged again yet.

    Returns:
        The state of their newest message, by person.
    """
    nudged: dict[int, Delivery] = {}
    for batch in split_into_batches(sorted(people)):
        statement = (
            select(MessageLine.about_id, Message.state)
            .join(Message, Message.id == MessageLine.message_id)
            .where(MessageLine.about_id.in_(batch), MessageLine.directive_id == directive_id, *_NUDGED)
            .where(_recent_at(now))
            .order_by(MessageLine.created_at, MessageLine.id)
        )
        nudged |= {person_id: Delivery(state) for person_id, state in db.session.execute(statement)}
    return nudged


def _recent_at(now: datetime) -> ColumnElement[bool]:
    return MessageLine.created_at > now - timedelta(days=NUDGE_DAYS)


@dataclass(frozen=True, slots=True)
class NoticeCounts:
    """How many notices about accounts wait or did not arrive."""

    waiting: int
    lost: int  # refused, given up or bounced
    is_only_administrator: bool  # nobody else administers the whole force


def count_notices(viewer: Viewer, day: date) -> NoticeCounts:
    """Count the notices to people whom the viewer may see. Two statements."""
    statement = select(Message.state, func.count()).where(
        _visible_messages(viewer), Message.kind == MessageKind.NOTICE
    )
    rows = db.session.execute(statement.group_by(Message.state))
    count_by_state = {state: count for state, count in rows}
    other_administrator = exists().where(
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
        is_only_administrator=not db.session.scalar(select(other_administrator)),
    )


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message in the list of the outbox."""

    reference: UUID
    staff_number: str
    name: str
    state: Delivery
    planned_at: datetime  # of its newest reason that the viewer may see
    not_before: datetime | None  # None: for a viewer who may not see everyone
    sent_at: datetime | None
    tries: int
    reason: str
    lines: tuple[str, ...]  # why, in words


def count_by_delivery(viewer: Viewer) -> dict[Delivery, int]:
    """The number of messages in each state that the viewer may see, zero included."""
    statement = select(Message.state, func.count()).where(_visible_messages(viewer)).group_by(Message.state)
    counts = {Delivery(state): count for state, count in db.session.execute(statement)}
    return {state: counts.get(state, 0) for state in Delivery}


def list_outbox(viewer: Viewer, state: Delivery | None, offset: int, limit: int) -> list[OutboxRow]:
    """A slice of the messages that the viewer may see, the newest first. Four statements."""
    sees_everyone = visibility_of(viewer).everyone
    planned_at = Message.created_at if sees_everyone else _planned_at_for(viewer)
    order = (Message.id.desc(),) if sees_everyone else (PersonName.staff_number, Message.kind, Message.id)
    statement = (
        select(Message, PersonName, planned_at)
        .outerjoin(PersonName, PersonName.person_id == Message.person_id)
        .where(_visible_messages(viewer), *([Message.state == state] if state else []))
        .order_by(planned_at.desc(), *order)
    )
    rows = db.session.execute(statement.offset(offset).limit(limit)).all()
    lines = lines_in_words(viewer, [message.id for message, *_ in rows])
    return [
        _outbox_row(
            message, name, lines.get(message.id, []), planned, message.not_before if sees_everyone else None
        )
        for message, name, planned in rows
    ]


def _planned_at_for(viewer: Viewer) -> ColumnElement[datetime]:
    """SQL expression: when the newest reason of a message was planned that the viewer may see.

    A reason joins a message that waits already, also for somebody whom the viewer may not see: then neither
    when it was made nor when it may be sent says anything to them.
    """
    seen = or_(MessageLine.about_id.in_(visible_people(viewer)), Message.person_id == viewer.person_id)
    newest = select(func.max(MessageLine.created_at)).where(MessageLine.message_id == Message.id, seen)
    return func.coalesce(newest.correlate(Message).scalar_subquery(), Message.created_at)


def get_message(viewer: Viewer, reference: UUID) -> Message:
    """One message."""
    message = db.session.scalar(
        select(Message).where(Message.reference == reference, _visible_messages(viewer))
    )
    if message is None:
        raise NotFoundError("There is no such message.")
    return message


def visible_person_ids(viewer: Viewer) -> set[int]:
    """The ids of everybody whose reminders the viewer may see."""
    return set(db.session.scalars(visible_people(viewer, Permission.REMINDER_VIEW)))


def _visible_messages(viewer: Viewer) -> ColumnElement[bool]:
    """WHERE clause: the message is the viewer's own, or to and about people they may see.

    Notices about accounts are shown only to people who administer the reader's account; private kinds
    only to their reader.
    """
    people = visible_people(viewer, Permission.REMINDER_VIEW)
    lines = select(MessageLine.id).where(MessageLine.message_id == Message.id)
    about_visible = lines.where(MessageLine.about_id.in_(people)).correlate(Message).exists()
    has_visible_line = or_(about_visible, ~lines.correlate(Message).exists())
    is_own = Message.person_id == viewer.person_id
    is_visible = or_(and_(Message.person_id.in_(people), has_visible_line), is_own)
    is_reminder = and_(is_visible, Message.kind == MessageKind.REMINDER)
    if Permission.ACCOUNT_ADMINISTER not in viewer.permissions:
        return is_reminder
    is_of_account = and_(is_in_administration(Message.person_id, viewer), has_visible_line)
    return or_(is_reminder, and_(is_of_account, Message.kind.not_in(list_private_kinds())), is_own)


def _outbox_row(
    row: Message,
    name: PersonName | None,
    lines: Iterable[str],
    planned_at: datetime,
    not_before: datetime | None,
) -> OutboxRow:
    number, listed_name = (name.staff_number, f"{name.surname}, {name.forenames}") if name else ("", "Erased")
    state = Delivery(row.state)
    times = (planned_at, not_before, row.sent_at, row.tries, row.reason)
    words = tuple(lines) or words_of_kind(row.kind)
    return OutboxRow(row.reference, number, listed_name, state, *times, words)


# Line managers who got no reminder about overdue people, because they cannot open the report.


@dataclass(frozen=True, slots=True)
class UntoldManagerRow:
    """A line manager who got no reminder, because they cannot open the report it links to."""

    staff_number: str
    name: str
    planned_at: datetime
    people: int


def list_untold_managers(viewer: Viewer, day: date) -> list[UntoldManagerRow]:
    """All untold managers by name, except those who were given a role with sight since.

    Their counts include people of any unit, so a viewer who does not see the whole force gets an empty list.
    """
    if not visibility_of(viewer).everyone:
        return []
    given_since = exists().where(
        is_granted_to(UntoldManager.person_id, day),
        RoleGrant.role.in_(sorted(SIGHT_ROLES)),
        RoleGrant.given_at >= UntoldManager.planned_at,
    )
    rows = db.session.execute(
        select(PersonName, UntoldManager)
        .join(UntoldManager, UntoldManager.person_id == PersonName.person_id)
        .where(~given_since)
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [
        UntoldManagerRow(name.staff_number, f"{name.surname}, {name.forenames}", row.planned_at, row.people)
        for name, row in rows
    ]
