"""Plans reminders, nudges, claims messages and records their outcome, in the caller's transaction."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, case, delete, func, insert, literal, null, select, update
from sqlalchemy.exc import IntegrityError

from config import current_settings
from portal.domain.directives.applies import split_into_batches
from portal.domain.people.visibility import Viewer, visible_people
from portal.domain.reminders import queries
from portal.domain.reminders.desk_mails import queue_review_mails
from portal.domain.reminders.message_texts import MOST_DAYS, ReminderPlan, plan_reminders
from portal.domain.reminders.models import (
    Delivery,
    Message,
    MessageKind,
    MessageLine,
    ReminderRule,
    ReminderRun,
    UntoldManager,
    list_private_kinds,
)
from portal.domain.reminders.queries import (
    Addressee,
    ReminderDirective,
    ReminderLine,
    list_addressees,
    nudged_since,
)
from portal.domain.reminders.rules import ANY_TIME, ReminderReason, ReminderRules, SendWindow
from portal.domain.status.queries import people_to_remind
from portal.feature import insert_after
from portal.platform.audit import log
from portal.platform.clock import end_of_day, london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

# Plans a reminder to several people at once: who gets it, and who is left out, with the reason.

MOST = 500  # people of one preview


@dataclass(frozen=True)
class BulkNudge:
    """Who gets a reminder of one directive, and who is left out; each list by name."""

    directive: ReminderDirective
    people: list[Addressee]
    reminded: list[Addressee]  # less than seven days ago
    unsent: list[Addressee]  # somebody asked for it less than seven days ago, and it is not sent
    without_address: list[Addressee]
    viewer_is_missing: bool  # whether the viewer has not finished either

    @property
    def left_out(self) -> list[str]:
        """Why some are left out, in sentences; nothing is said of people who have finished."""
        sentences = ["You have not finished either. You cannot remind yourself."] * self.viewer_is_missing
        if self.reminded:
            were = "was" if len(self.reminded) == 1 else "were"
            sentences.append(
                f"{plural(len(self.reminded), 'person', 'people')} {were} reminded in the last 7 days."
            )
        if self.unsent:
            have = "has" if len(self.unsent) == 1 else "have"
            people = plural(len(self.unsent), "person", "people")
            sentences.append(f"{people} {have} a reminder of the last 7 days that is not sent.")
        if self.without_address:
            have = "has" if len(self.without_address) == 1 else "have"
            people = plural(len(self.without_address), "person", "people")
            sentences.append(f"{people} {have} no email address in the roster.")
        return sentences


def plan_bulk_nudge(
    people: Collection[int], directive: ReminderDirective, viewer: Viewer, *, at: datetime
) -> BulkNudge:
    """Plan a reminder to those of ``people`` who can get one; a fixed number of statements for each 500.

    In none of the lists: the viewer, people whom the viewer may not remind, and people who have completed
    everything.
    """
    day = london_day(at)
    missing = {
        row.person_id
        for row in people_to_remind(day, people)
        if row.directive_id == directive.id and ReminderReason.NUDGE.still_applies(row.status)
    }
    allowed: set[int] = set()
    for batch in split_into_batches(sorted(missing - {viewer.person_id})):
        allowed |= set(db.session.scalars(visible_people(viewer, Permission.REMINDER_NUDGE, batch)))
    recent = nudged_since(allowed, directive.id, at)
    plan = BulkNudge(directive, [], [], [], [], viewer.person_id in missing)
    for person in sorted(list_addressees(allowed, day).values(), key=lambda p: (p.surname, p.staff_number)):
        if state := recent.get(person.person_id):
            (plan.reminded if state is Delivery.SENT else plan.unsent).append(person)
        else:
            (plan.people if person.email else plan.without_address).append(person)
    return plan


TRIES = 10
FIRST_PAUSE = timedelta(minutes=5)  # before a message is sent again; doubled each time
OUTBOX_LOCK = 7241002
LOST_AFTER = timedelta(minutes=15)  # after which the sender of a claimed message must have died


def send_window_of(kind: MessageKind, hours: SendWindow) -> SendWindow:
    """When messages of a kind may be sent: what somebody waits for at any time, the others in these hours."""
    in_hours = {
        MessageKind.REMINDER,
        MessageKind.INVITATION,
        MessageKind.REVIEW,
        MessageKind.FOLDER,
        MessageKind.REPORT,
        MessageKind.EVIDENCE_STALE,
        MessageKind.EVENT_REMINDER,
    }
    in_hours.update(list_private_kinds())
    return hours if kind in in_hours else ANY_TIME


def lock_outbox() -> None:
    """Let nobody else add to the outbox until this transaction ends, since it reads what is there first."""
    if db.engine.dialect.name == "postgresql":  # on SQLite a writing transaction is alone anyway
        db.session.execute(select(func.pg_advisory_xact_lock(OUTBOX_LOCK)))


def plan_day(day: date, *, at: datetime, hours: SendWindow, line_managers: bool = False) -> ReminderPlan:
    """Put the reminders of ``day`` into the outbox; a second time on the same day changes nothing.

    Args:
        day: The London day of ``at``.
        at: This instant.
        hours: When mail may be sent.
        line_managers: As for ``plan_reminders``.
    """
    lock_outbox()
    plan = plan_reminders(day, line_managers=line_managers)
    if plan.window.after >= day:
        return plan
    _queue_lines(plan.letters, at=at, hours=hours)
    _record_untold(plan, at)
    for queue_mails in _list_mails_of_day():
        with plan.failures.of(queue_mails.__name__), db.session.begin_nested():
            queue_mails(day, at=at, hours=hours)
    result = {"letters": len(plan.letters), "lines": plan.line_count, "unreachable": len(plan.unreachable)}
    result["untold"] = len(plan.untold)
    db.session.execute(insert(ReminderRun).values(day=day, planned_at=at, result=result))
    log("reminders.planned", actor_id=None, day=day.isoformat(), **result)
    return plan


def _list_mails_of_day() -> list[Callable[..., int]]:
    """What queues the mails of a day, of the core and of the features that are on."""
    additions = [
        (mail.after, feature.load(mail.plan))
        for feature in current_settings().features_on
        for mail in feature.mails
        if mail.plan
    ]
    return insert_after((queue_review_mails,), additions, lambda queue: queue.__name__)


def _record_untold(plan: ReminderPlan, at: datetime) -> None:
    """Record which line managers got no reminder; delete old rows, and those of managers who get one now."""
    outdated = [UntoldManager.planned_at < at - timedelta(days=MOST_DAYS)]
    outdated += [
        UntoldManager.person_id.in_(batch)
        for batch in split_into_batches(sorted({*plan.untold, *plan.letters}))
    ]
    for condition in outdated:
        db.session.execute(delete(UntoldManager).where(condition))
    rows = [
        {"person_id": manager_id, "planned_at": at, "people": len(people)}
        for manager_id, people in plan.untold.items()
    ]
    if rows:
        db.session.execute(insert(UntoldManager), rows)


def _queue_lines(letters: Mapping[int, Iterable[ReminderLine]], *, at: datetime, hours: SendWindow) -> None:
    """Add the lines, by addressee, to each one's waiting message; make a new message if none waits."""
    waiting = queries.waiting_reminders_of(letters)
    without_message = [person_id for person_id in letters if person_id not in waiting]
    if without_message:
        columns = {"state": Delivery.WAITING, "created_at": at, "not_before": hours.next_allowed(at)}
        columns |= {"tries": 0, "reason": ""}
        rows = [{"reference": uuid.uuid4(), "person_id": p, **columns} for p in without_message]
        db.session.execute(insert(Message), rows)
        waiting |= queries.waiting_reminders_of(without_message)
    present_lines = queries.read_lines(set(waiting.values()))
    new_lines = [
        {**_line_columns(line), "message_id": waiting[person_id], "created_at": at}
        for person_id, lines in letters.items()
        for line in lines
        if not any(_is_same_line(line, present) for present in present_lines[waiting[person_id]])
    ]
    if new_lines:
        db.session.execute(insert(MessageLine), new_lines)


def _line_columns(line: ReminderLine) -> dict[str, int | str | None]:
    return {
        "directive_id": line.directive_id,
        "about_id": line.about_id,
        "reason": line.reason,
        "asked_by_id": line.asked_by_id,
    }


def _is_same_line(line: ReminderLine, other: ReminderLine) -> bool:
    return _line_key(line) == _line_key(other)


def _line_key(line: ReminderLine) -> tuple[int, int, ReminderReason]:
    return line.directive_id, line.about_id, line.reason


def queue_nudge(
    person_id: int, directive: ReminderDirective, *, by: int, at: datetime, hours: SendWindow
) -> datetime:
    """Queue a reminder that a manager asked for; return from when it may be sent.

    Raises:
        RuleError: They have nothing left to complete for it, or no email address.
    """
    lock_outbox()
    day = london_day(at)
    if last := queries.list_last_nudges(person_id, at).get(directive.id):
        raise ConflictError(
            f"A reminder of {directive.reference} for this person was asked for less than "
            f"{queries.NUDGE_DAYS} days ago. You can remind them again from {date_words(last.allowed_from)}."
        )
    refuse_needless_nudge(person_id, directive, day)
    line = ReminderLine(directive.id, person_id, ReminderReason.NUDGE, by)
    _queue_lines({person_id: [line]}, at=at, hours=hours)
    log("reminder.nudged", actor_id=by, subject_id=person_id, directive=directive.reference)
    return hours.next_allowed(at)


def queue_bulk_nudge(
    people: Collection[int], directive: ReminderDirective, viewer: Viewer, *, at: datetime, hours: SendWindow
) -> BulkNudge:
    """Queue a reminder to each of ``people`` who can get one now; return the plan that was followed.

    Repeat-safe: whoever was reminded by the first call is left out by the second.
    """
    lock_outbox()
    plan = plan_bulk_nudge(people, directive, viewer, at=at)
    by, nudge = viewer.person_id, ReminderReason.NUDGE
    letters = {
        person.person_id: [ReminderLine(directive.id, person.person_id, nudge, by)] for person in plan.people
    }
    _queue_lines(letters, at=at, hours=hours)
    for person_id in letters:
        log("reminder.nudged", actor_id=by, subject_id=person_id, directive=directive.reference)
    return plan


def refuse_needless_nudge(person_id: int, directive: ReminderDirective, day: date) -> None:
    """Refuse to remind somebody who has nothing left to complete, or has no email address."""
    rows = [row for row in people_to_remind(day, [person_id]) if row.directive_id == directive.id]
    if not any(ReminderReason.NUDGE.still_applies(row.status) for row in rows):
        raise RuleError(f"This person has nothing left to complete for {directive.reference}.")
    reader = list_addressees([person_id], day).get(person_id)
    if reader is None or not reader.email:
        raise RuleError("No email address is known for this person, so you cannot remind them.")


def save_rules(directive: ReminderDirective, rules: ReminderRules, *, by: int) -> bool:
    """Save when a directive reminds; return whether that differs from before."""
    if rules == directive.rules:
        return False
    values: dict[str, Any] = {
        "notice_days": list(rules.notice_days),
        "overdue_every": rules.overdue_every,
        "escalate_after": rules.escalate_after,
        "ending_days": list(rules.ending_days),
    }
    if directive.own_rules:
        statement = update(ReminderRule).where(ReminderRule.directive_id == directive.id)
        db.session.execute(statement.values(**values))
    else:
        db.session.execute(insert(ReminderRule).values(directive_id=directive.id, **values))
    log("reminders.rules_changed", actor_id=by, directive=directive.reference, **values)
    return True


def claim_message(message_id: int, *, at: datetime, hours: SendWindow) -> bool:
    """Claim a waiting message to send it; False if another sender has it, or the person had a reminder today.

    The day of a reminder is written with the claim, and the database allows one for each day and person; a
    second one is postponed to the next day. Notices are not limited.
    """
    day = london_day(at)
    sent_on = case((Message.kind == MessageKind.REMINDER, literal(day, Date())), else_=null())
    claim = (
        update(Message)
        .where(Message.id == message_id, Message.state == Delivery.WAITING)
        .values(state=Delivery.SENDING, claimed_at=at, sent_on=sent_on, tries=Message.tries + 1)
    )
    try:
        with db.session.begin_nested():
            count: object = getattr(db.session.execute(claim), "rowcount", 0)
    except IntegrityError:
        tomorrow = hours.next_allowed(end_of_day(day) + timedelta(microseconds=1))
        db.session.execute(update(Message).where(Message.id == message_id).values(not_before=tomorrow))
        return False
    return bool(count)


def mark_sent(message_id: int, *, at: datetime) -> None:
    """Record that the relay accepted the message."""
    _end_message(message_id, Delivery.SENT, sent_at=at, reason="")


def mark_dropped(message_id: int, reason: str) -> None:
    """Record that the message was not sent because no reason for it was left."""
    _end_message(message_id, Delivery.DROPPED, sent_on=None, reason=reason)


def mark_refused(message_id: int, reason: str) -> None:
    """Record that the relay refused the message for good."""
    _end_message(message_id, Delivery.REFUSED, sent_on=None, reason=reason)


def postpone_message(
    message_id: int, reason: str, *, at: datetime, hours: SendWindow, counted: bool = True
) -> None:
    """Let a message wait for another try, or give it up after many.

    Args:
        message_id: A claimed message.
        reason: Why it was not sent.
        at: This instant.
        hours: When mail may be sent.
        counted: Whether this counts as a try; False if no relay could be reached.
    """
    lock_outbox()
    row = db.session.execute(select(Message.tries, Message.kind).where(Message.id == message_id)).one()
    tries, kind = row.tries or 1, MessageKind(row.kind)
    if counted and tries >= TRIES:
        _end_message(
            message_id, Delivery.FAILED, sent_on=None, reason=f"Given up after {tries} tries. {reason}"
        )
        return
    if kind is MessageKind.REMINDER and _moved_to_newer_message(message_id):
        _end_message(message_id, Delivery.DROPPED, sent_on=None, reason="A newer message says the same.")
        return
    not_before = send_window_of(kind, hours).next_allowed(at + FIRST_PAUSE * 2 ** (min(tries, 8) - 1))
    values = {"sent_on": None, "reason": reason, "not_before": not_before}
    _end_message(message_id, Delivery.WAITING, tries=tries if counted else tries - 1, **values)


def _moved_to_newer_message(message_id: int) -> bool:
    """Copy the lines of a reminder to a newer one that waits for the same person; False if none waits."""
    person_id = db.session.scalar(select(Message.person_id).where(Message.id == message_id))
    newer_id = queries.waiting_reminders_of([person_id]).get(person_id) if person_id else None
    if newer_id is None:
        return False
    lines = queries.read_lines([message_id, newer_id])
    created_at = select(Message.created_at).where(Message.id == message_id).scalar_subquery()
    for line in lines[message_id]:
        if not any(_is_same_line(line, present) for present in lines[newer_id]):
            row = {**_line_columns(line), "message_id": newer_id, "created_at": created_at}
            db.session.execute(insert(MessageLine).values(**row))
    return True


def _end_message(message_id: int, state: Delivery, **values: object) -> None:
    statement = update(Message).where(Message.id == message_id, Message.state == Delivery.SENDING)
    db.session.execute(statement.values(state=state, claimed_at=None, **values))


def requeue_lost_messages(at: datetime, hours: SendWindow) -> int:
    """Let messages wait again whose sender died after claiming them; return how many.

    They may have arrived: SMTP cannot tell. They keep their Message-ID, so that mail systems can drop the
    second.
    """
    lost = select(Message.id).where(Message.state == Delivery.SENDING, Message.claimed_at < at - LOST_AFTER)
    ids = list(db.session.scalars(lost))
    for message_id in ids:
        postpone_message(message_id, "Sending was interrupted.", at=at, hours=hours)
    return len(ids)


def requeue_message(row: Message, *, by: int, at: datetime, hours: SendWindow) -> None:
    """Let a message that was refused, bounced or given up wait to be sent again."""
    lock_outbox()
    db.session.refresh(row)
    if row.state not in {Delivery.REFUSED, Delivery.FAILED, Delivery.BOUNCED}:
        raise ConflictError("This message does not need to be sent again.")
    address = row.email if row.kind == MessageKind.NOTICE else None
    if row.kind != MessageKind.REMINDER and not (address or queries.email_of(row.person_id)):
        raise ConflictError("No email address is known for this person. Import it with the roster first.")
    if row.kind == MessageKind.REMINDER and queries.waiting_reminders_of([row.person_id]):
        raise ConflictError("A newer message to this person is waiting already.")
    row.state, row.tries, row.reason, row.sent_on = Delivery.WAITING, 0, "", None
    row.not_before = send_window_of(MessageKind(row.kind), hours).next_allowed(at)
    log("reminder.tried_again", actor_id=by, subject_id=row.person_id, message=str(row.reference))


def mark_bounced(reference: uuid.UUID, reason: str) -> bool:
    """Record that a message bounced; False if no such message was sent."""
    row = db.session.scalar(select(Message).where(Message.reference == reference))
    if row is None or row.state not in {Delivery.SENT, Delivery.BOUNCED}:
        return False
    row.state, row.reason = Delivery.BOUNCED, reason
    log("reminder.bounced", actor_id=None, subject_id=row.person_id, message=str(reference))
    return True


def sort_days(days: Iterable[int]) -> tuple[int, ...]:
    """Numbers of days, the largest first, each once."""
    return tuple(sorted(set(days), reverse=True))
