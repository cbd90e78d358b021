"""Planning reminders, nudging, claiming messages, noting what became of them; in the caller's transaction."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, case, delete, func, insert, literal, null, select, update
from sqlalchemy.exc import IntegrityError

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.reminders import queries
from portal.domain.reminders.models import (
    Delivery,
    Message,
    MessageKind,
    MessageLine,
    ReminderRule,
    ReminderRun,
    UntoldManager,
)
from portal.domain.reminders.planning import MOST_DAYS, ReminderPlan, plan_reminders
from portal.domain.reminders.queries import ReminderDirective, ReminderLine, list_addressees
from portal.domain.reminders.rules import ReminderReason, ReminderRules
from portal.domain.reminders.send_window import ANY_TIME, SendWindow
from portal.domain.status.reminder_queries import chased
from portal.platform.audit.services import log
from portal.platform.clock import end_of_day, london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError
from portal.platform.wording import date as date_words

TRIES = 10
FIRST_PAUSE = timedelta(minutes=5)  # before a message is tried again; doubled each time
OUTBOX_LOCK = 7241002
LOST_AFTER = timedelta(minutes=15)  # a message in the hands of a sender that died


def hours_of(kind: MessageKind, hours: SendWindow) -> SendWindow:
    """When messages of a kind may go: notices about accounts do not wait for the hours of mail."""
    return hours if kind is MessageKind.REMINDER else ANY_TIME


def _hold_outbox() -> None:
    """Let nobody else add to the outbox until this transaction ends: what is there is read first."""
    if db.engine.dialect.name == "postgresql":  # on SQLite a writing transaction is alone anyway
        db.session.execute(select(func.pg_advisory_xact_lock(OUTBOX_LOCK)))


def plan_day(day: date, *, at: datetime, hours: SendWindow, line_managers: bool = False) -> ReminderPlan:
    """Put into the outbox what ``day`` asks for; a second time on the same day changes nothing.

    Args:
        day: The London day of ``at``.
        at: This instant.
        hours: When mail may go.
        line_managers: As ``plan_reminders`` has it.
    """
    _hold_outbox()
    plan = plan_reminders(day, line_managers=line_managers)
    if plan.window.after >= day:
        return plan
    _queue_lines(plan.letters, at=at, hours=hours)
    _note_untold(plan, at)
    result = {"letters": len(plan.letters), "lines": plan.line_count, "unreachable": len(plan.unreachable)}
    result["untold"] = len(plan.untold)
    db.session.execute(insert(ReminderRun).values(day=day, planned_at=at, result=result))
    log("reminders.planned", actor_id=None, day=day.isoformat(), **result)
    return plan


def _note_untold(plan: ReminderPlan, at: datetime) -> None:
    """Record which line managers were left out, until they get a reminder or it was long ago."""
    over = [UntoldManager.planned_at < at - timedelta(days=MOST_DAYS)]
    over += [
        UntoldManager.person_id.in_(some)
        for some in split_into_batches(sorted({*plan.untold, *plan.letters}))
    ]
    for condition in over:
        db.session.execute(delete(UntoldManager).where(condition))
    rows = [{"person_id": one, "planned_at": at, "people": len(of)} for one, of in plan.untold.items()]
    if rows:
        db.session.execute(insert(UntoldManager), rows)


def _queue_lines(letters: Mapping[int, Iterable[ReminderLine]], *, at: datetime, hours: SendWindow) -> None:
    """Into the message that waits for a person already, else into a new one."""
    waiting = queries.waiting_of(letters)
    fresh = [person_id for person_id in letters if person_id not in waiting]
    if fresh:
        base = {"state": Delivery.WAITING, "created_at": at, "not_before": hours.next_allowed(at)}
        rows = [{"reference": uuid.uuid4(), "person_id": p, "tries": 0, "reason": "", **base} for p in fresh]
        db.session.execute(insert(Message), rows)
        waiting |= queries.waiting_of(fresh)
    held = queries.lines_of(set(waiting.values()))
    lines = [
        {**_line_columns(line), "message_id": waiting[person_id], "created_at": at}
        for person_id, of_person in letters.items()
        for line in of_person
        if not any(_is_same_line(line, one) for one in held[waiting[person_id]])
    ]
    if lines:
        db.session.execute(insert(MessageLine), lines)


def _line_columns(line: ReminderLine) -> dict[str, int | str | None]:
    return {
        "directive_id": line.directive_id,
        "about_id": line.about_id,
        "reason": line.reason,
        "asked_by_id": line.asked_by_id,
    }


def _is_same_line(one: ReminderLine, other: ReminderLine) -> bool:
    return (one.directive_id, one.about_id, one.reason) == (other.directive_id, other.about_id, other.reason)


def queue_nudge(
    person_id: int, directive: ReminderDirective, *, by: int, at: datetime, hours: SendWindow
) -> datetime:
    """Ask that a person be reminded of a directive; returns from when the mail may go.

    Raises:
        ConflictError: They were nudged about it less than seven days ago.
        RuleError: Nothing is asked of them that they have still to complete, or no mail reaches them.
    """
    _hold_outbox()
    day = london_day(at)
    again = queries.may_nudge_again(queries.nudged_at(person_id, directive.id))
    if again is not None and at < again:
        raise ConflictError(
            f"This person was reminded of {directive.reference} less than "
            f"{queries.NUDGE_DAYS} days ago. You can do it again from {date_words(again)}."
        )
    refuse_needless(person_id, directive, day)
    _queue_lines(
        {person_id: [ReminderLine(directive.id, person_id, ReminderReason.NUDGE, by)]}, at=at, hours=hours
    )
    log("reminder.nudged", actor_id=by, subject_id=person_id, directive=directive.reference)
    return hours.next_allowed(at)


def refuse_needless(person_id: int, directive: ReminderDirective, day: date) -> None:
    """Refuse to remind somebody of what they have done, need not do, or cannot be told of by mail.

    Raises:
        RuleError: One of these holds.
    """
    stands = [row for row in chased(day, [person_id]) if row.directive_id == directive.id]
    if not any(ReminderReason.NUDGE.still_holds(row.status) for row in stands):
        raise RuleError(f"{directive.reference} asks nothing of this person that is still to be completed.")
    reader = list_addressees([person_id], day).get(person_id)
    if reader is None or not reader.email:
        raise RuleError("No email address of this person is known, so no reminder can reach them.")


def save_rules(directive: ReminderDirective, rules: ReminderRules, *, by: int) -> bool:
    """Keep when a directive reminds; whether that differs from before."""
    if rules == directive.rules:
        return False
    values: dict[str, Any] = {
        "notice_days": list(rules.notice_days),
        "overdue_every": rules.overdue_every,
        "escalate_after": rules.escalate_after,
        "ending_days": list(rules.ending_days),
    }
    if directive.own_rules:
        changed = update(ReminderRule).where(ReminderRule.directive_id == directive.id)
        db.session.execute(changed.values(**values))
    else:
        db.session.execute(insert(ReminderRule).values(directive_id=directive.id, **values))
    log("reminders.rules_changed", actor_id=by, directive=directive.reference, **values)
    return True


def claim_message(message_id: int, *, at: datetime, hours: SendWindow) -> bool:
    """Take a waiting message into one's hands; False where another has it or the person had one today.

    With a reminder the day is written, and the database holds one a day and person; a reminder that comes
    second waits for the next day. Of notices somebody may have many a day.
    """
    day = london_day(at)
    once_a_day = case((Message.kind == MessageKind.REMINDER, literal(day, Date())), else_=null())
    taken = (
        update(Message)
        .where(Message.id == message_id, Message.state == Delivery.WAITING)
        .values(state=Delivery.SENDING, claimed_at=at, sent_on=once_a_day, tries=Message.tries + 1)
    )
    try:
        with db.session.begin_nested():
            done: object = getattr(db.session.execute(taken), "rowcount", 0)
    except IntegrityError:
        tomorrow = hours.next_allowed(end_of_day(day) + timedelta(microseconds=1))
        later = update(Message).where(Message.id == message_id).values(not_before=tomorrow)
        db.session.execute(later)
        return False
    return bool(done)


def mark_sent(message_id: int, *, at: datetime) -> None:
    """Note that the relay took it."""
    _end_message(message_id, Delivery.SENT, sent_at=at, reason="")


def mark_dropped(message_id: int, reason: str) -> None:
    """Note that nothing in it held any more."""
    _end_message(message_id, Delivery.DROPPED, sent_on=None, reason=reason)


def mark_refused(message_id: int, reason: str) -> None:
    """Note that the relay refused it for good."""
    _end_message(message_id, Delivery.REFUSED, sent_on=None, reason=reason)


def put_off(message_id: int, reason: str, *, at: datetime, hours: SendWindow, counted: bool = True) -> None:
    """Let it wait for another try, or give it up after many.

    Args:
        message_id: A claimed message.
        reason: Why it did not go.
        at: This instant.
        hours: When mail may go.
        counted: False where the try was none, since no relay could be reached.
    """
    _hold_outbox()
    row = db.session.execute(select(Message.tries, Message.kind).where(Message.id == message_id)).one()
    tries, kind = row.tries or 1, MessageKind(row.kind)
    if counted and tries >= TRIES:
        _end_message(
            message_id, Delivery.FAILED, sent_on=None, reason=f"Given up after {tries} tries. {reason}"
        )
        return
    if kind is MessageKind.REMINDER and _has_newer_message(message_id):
        _end_message(
            message_id, Delivery.DROPPED, sent_on=None, reason="What it said stands in a newer message."
        )
        return
    again = hours_of(kind, hours).next_allowed(at + FIRST_PAUSE * 2 ** (min(tries, 8) - 1))
    values = {"sent_on": None, "reason": reason, "not_before": again}
    _end_message(message_id, Delivery.WAITING, tries=tries if counted else tries - 1, **values)


def _has_newer_message(message_id: int) -> bool:
    """Whether a newer message to the same person waits; it then has the lines of this one too."""
    person_id = db.session.scalar(select(Message.person_id).where(Message.id == message_id))
    newer = queries.waiting_of([person_id]).get(person_id) if person_id else None
    if newer is None:
        return False
    of_both = queries.lines_of([message_id, newer])
    missing = [
        line for line in of_both[message_id] if not any(_is_same_line(line, one) for one in of_both[newer])
    ]
    if missing:
        created = select(Message.created_at).where(Message.id == message_id).scalar_subquery()
        rows = [{**_line_columns(line), "message_id": newer, "created_at": created} for line in missing]
        for row in rows:
            db.session.execute(insert(MessageLine).values(**row))
    return True


def _end_message(message_id: int, state: Delivery, **values: object) -> None:
    changed = update(Message).where(Message.id == message_id, Message.state == Delivery.SENDING)
    db.session.execute(changed.values(state=state, claimed_at=None, **values))


def take_back_lost(at: datetime, hours: SendWindow) -> int:
    """Let messages wait again whose sender died with them in its hands; how many.

    They may have arrived: SMTP cannot tell. They keep their Message-ID, so that mail systems can drop the
    second.
    """
    lost = select(Message.id).where(Message.state == Delivery.SENDING, Message.claimed_at < at - LOST_AFTER)
    ids = list(db.session.scalars(lost))
    for message_id in ids:
        put_off(message_id, "Its sender ended with the message in its hands.", at=at, hours=hours)
    return len(ids)


def try_again(row: Message, *, by: int, at: datetime, hours: SendWindow) -> None:
    """Let a message that was refused, bounced or given up wait once more.

    Raises:
        ConflictError: It is in another state, or the person has a newer one that waits.
    """
    _hold_outbox()
    db.session.refresh(row)
    if row.state not in {Delivery.REFUSED, Delivery.FAILED, Delivery.BOUNCED}:
        raise ConflictError("This message does not need to be tried again.")
    if row.kind == MessageKind.NOTICE and not (row.email or queries.email_of(row.person_id)):
        raise ConflictError("No email address of this person is known. Bring it in with the roster first.")
    if row.kind == MessageKind.REMINDER and queries.waiting_of([row.person_id]):
        raise ConflictError("A newer message to this person waits already.")
    row.state, row.tries, row.reason, row.sent_on = Delivery.WAITING, 0, "", None
    row.not_before = hours_of(MessageKind(row.kind), hours).next_allowed(at)
    log("reminder.tried_again", actor_id=by, subject_id=row.person_id, message=str(row.reference))


def mark_bounced(reference: uuid.UUID, reason: str) -> bool:
    """Note that a message came back; False where no such message was handed over."""
    row = db.session.scalar(select(Message).where(Message.reference == reference))
    if row is None or row.state not in {Delivery.SENT, Delivery.BOUNCED}:
        return False
    row.state, row.reason = Delivery.BOUNCED, reason
    log("reminder.bounced", actor_id=None, subject_id=row.person_id, message=str(reference))
    return True


def sort_days(days: Iterable[int]) -> tuple[int, ...]:
    """Numbers of days, the largest first, each once."""
    return tuple(sorted(set(days), reverse=True))
