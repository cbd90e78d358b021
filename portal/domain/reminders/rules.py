"""Decides on which days people are reminded, and why. Pure: dates in, reasons out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.directives.models import Directive
from portal.domain.people.models import PersonName
from portal.domain.people.visibility import Viewer, visible_people
from portal.domain.reminders.models import Message, MessageKind, MessageLine, NoticeLine
from portal.domain.status.rules import Status
from portal.feature import list_features
from portal.platform.audit import AuditEvent
from portal.platform.clock import LONDON
from portal.platform.db import db

MISSING = frozenset({Status.NOT_STARTED, Status.IN_PROGRESS})
LATE = frozenset({Status.OVERDUE, Status.EXPIRED})


class ReminderReason(StrEnum):
    """Why somebody is written to."""

    NOTICE = "notice"  # the due date is near
    OVERDUE = "overdue"
    ENDING = "ending"  # what is complete ends soon
    ESCALATION = "escalation"  # to the line manager, about somebody overdue
    NUDGE = "nudge"  # a manager asked for it

    def still_applies(self, status: Status | None) -> bool:
        """Whether the reason still applies to somebody with this status; None: not required."""
        if status is None or status.excluded:
            return False
        return (
            status
            in {
                ReminderReason.NOTICE: MISSING,
                ReminderReason.OVERDUE: LATE,
                ReminderReason.ENDING: frozenset({Status.EXPIRING}),
                ReminderReason.ESCALATION: LATE,
                ReminderReason.NUDGE: MISSING | LATE,
            }[self]
        )


@dataclass(frozen=True, slots=True)
class ReminderRules:
    """When one directive sends reminders; a number of days that is 0 or missing sends none."""

    notice_days: tuple[int, ...] = ()  # before the due date
    overdue_every: int = 7  # days: on the first day overdue, and then again
    escalate_after: int = 14  # days overdue: to the line manager, and then every ``overdue_every``
    ending_days: tuple[int, ...] = ()  # before a completion ends


@dataclass(frozen=True, slots=True)
class PlanningWindow:
    """The days for which reminders are planned together: those after the last planned day, up to today."""

    after: date
    to: date

    def includes(self, day: date) -> bool:
        """Whether the day is in the window."""
        return self.after < day <= self.to

    def includes_repeat(self, first: date, every: int) -> bool:
        """Whether ``first``, or a day any number of times ``every`` days later, is in the window."""
        if first > self.to:
            return False
        if first > self.after or every <= 0:
            return first > self.after
        steps = (self.to - first).days // every
        return first + timedelta(days=steps * every) > self.after


def list_reasons(
    status: Status,
    due_on: date,
    since: date,
    valid_until: date | None,
    rules: ReminderRules,
    window: PlanningWindow,
) -> list[ReminderReason]:
    """The reasons to remind somebody who has this status on the window's last day.

    Args:
        status: Under the whole directive.
        due_on: The due date.
        since: The day after which somebody is overdue or expired.
        valid_until: The last day on which a completion counts.
        rules: The directive's.
        window: All days not yet planned for, so that no reminder is lost on a day when nothing ran.
    """
    if status in MISSING:
        near = (due_on - timedelta(days=days) for days in rules.notice_days)
        return [ReminderReason.NOTICE] if any(map(window.includes, near)) else []
    if status is Status.EXPIRING and valid_until is not None:
        near = (valid_until - timedelta(days=days) for days in rules.ending_days)
        return [ReminderReason.ENDING] if any(map(window.includes, near)) else []
    if status not in LATE:
        return []
    reasons = []
    if rules.overdue_every and window.includes_repeat(since + timedelta(days=1), rules.overdue_every):
        reasons.append(ReminderReason.OVERDUE)
    escalate_on = since + timedelta(days=rules.escalate_after)
    if rules.escalate_after and window.includes_repeat(escalate_on, rules.overdue_every):
        reasons.append(ReminderReason.ESCALATION)
    return reasons


# What each message of the outbox says, in a few words, for people who look after mail.

UNSEEN = "somebody outside your units"
_REASON_WORDS = {
    ReminderReason.NOTICE: "due soon",
    ReminderReason.OVERDUE: "overdue",
    ReminderReason.ENDING: "ends soon",
    ReminderReason.ESCALATION: "overdue, to the line manager",
    ReminderReason.NUDGE: "nudged by a manager",
}
_ACT_WORDS = {
    "role.granted": "Account: role given",
    "role.revoked": "Account: role ended",
    "account.invited": "Account: password link made",
    "account.closed": "Account: closed",
    "account.opened": "Account: opened again",
    "account.identity_removed": "Account: link to the force account removed",
    "account.factors_reset": "Account: second factor reset",
    "account.factor_added": "Account: second factor added",
    "account.factor_removed": "Account: second factor removed",
    "account.recovery_codes_made": "Account: recovery codes made",
    "account.recovery_code_used": "Account: recovery code used",
    "accounts.invited": "Accounts: people invited",
    "token.created": "Access token made",
    "token.revoked": "Access token revoked",
    "alert.many_refusals": "Alert: many refusals",
    "alert.many_failed_sign_ins": "Alert: many failed sign-ins",
    "completions.exported": "Alert: completions of many people downloaded",
    "answer_pack.exported": "Alert: answer pack about many people made",
    "accounts.exported": "Alert: list of many accounts downloaded",
    "audit.exported": "Alert: audit trail of many people downloaded",
}


@cache
def list_act_words() -> dict[str, str]:
    """Each act about which there are emails, in the words of the outbox."""
    acts = (item for feature in list_features() for item in feature.acts.items())
    return {**_ACT_WORDS, **{name: act.outbox for name, act in acts if act.outbox}}


# Of messages that have no lines.
_WORDS_OF_KIND: dict[str, tuple[str, ...]] = {
    MessageKind.INVITATION: ("Account: invitation to set a password",),
    MessageKind.RESET: ("Account: answer to a request for a new password",),
    MessageKind.REVIEW: ("Modules and guides to review",),
}


_TITLES: dict[str, str] = {
    MessageKind.REMINDER: "Reminder",
    MessageKind.REVIEW: "To review",
}


@cache
def words_of_kind(kind: str) -> tuple[str, ...]:
    """What a message without lines is about; of a feature, too, on or off."""
    of_features = {
        mail.kind: (mail.words,) for feature in list_features() for mail in feature.mails if mail.words
    }
    return (_WORDS_OF_KIND | of_features).get(kind, ())


@cache
def list_kind_titles() -> dict[str, str]:
    """The title of each kind of message in its reader's own list; the others are about the account."""
    of_features = {mail.kind: mail.title for each in list_features() for mail in each.mails if mail.title}
    return _TITLES | of_features


MOST_ACTS = 10  # of one message that the outbox lists


def reason_words(reason: ReminderReason) -> str:
    """The reason in a few words."""
    return _REASON_WORDS[reason]


def lines_in_words(viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    """What each of these messages says, by its id, without naming people whom the viewer may not see."""
    about = aliased(PersonName)
    is_visible = MessageLine.about_id.in_(visible_people(viewer))
    name = case((~is_visible, UNSEEN), else_=func.coalesce(about.full_name, "Erased"))
    statement = (
        select(MessageLine, Directive.reference, name, Message.person_id)
        .join(Directive, Directive.id == MessageLine.directive_id)
        .join(Message, Message.id == MessageLine.message_id)
        .outerjoin(about, about.person_id == MessageLine.about_id)
        .where(MessageLine.message_id.in_(ids), or_(is_visible, Message.person_id == viewer.person_id))
        .order_by(MessageLine.id)
    )
    words: dict[int, list[str]] = {}
    for line, reference, about_name, addressee in db.session.execute(statement):
        of_whom = "" if line.about_id == addressee else f", {about_name}"
        words.setdefault(line.message_id, []).append(
            f"{reference}: {reason_words(ReminderReason(line.reason))}{of_whom}"
        )
    return words | _acts_in_words(viewer, ids)


def _acts_in_words(viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    about = aliased(PersonName)
    is_visible = AuditEvent.subject_id.in_(visible_people(viewer))
    erased = func.coalesce(about.full_name, "Erased")
    name = case((AuditEvent.subject_id.is_(None), ""), (~is_visible, UNSEEN), else_=erased)
    statement = (
        select(NoticeLine.message_id, AuditEvent.action, name)
        .join(AuditEvent, AuditEvent.id == NoticeLine.event_id)
        .outerjoin(about, about.person_id == AuditEvent.subject_id)
        .where(NoticeLine.message_id.in_(ids))
        .order_by(NoticeLine.id)
    )
    words: dict[int, list[str]] = {}
    for message_id, action, about_name in db.session.execute(statement):
        what = list_act_words()[action]
        words.setdefault(message_id, []).append(f"{what}, {about_name}" if about_name else what)
    return {message_id: [*acts[:MOST_ACTS], *_rest_in_words(acts)] for message_id, acts in words.items()}


def _rest_in_words(acts: Sequence[str]) -> list[str]:
    return [f"and {len(acts) - MOST_ACTS} more"] if len(acts) > MOST_ACTS else []


# The hours in which reminders may be sent: not at night, and not on a bank holiday. Pure.

MOST_DAYS_OFF = 60  # in a row


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The hours, in London, in which mail may be sent: from ``first`` to just before ``last``."""

    first: time = time(7)
    last: time = time(20)
    days_off: frozenset[date] = frozenset()

    def allows_sending(self, instant: datetime) -> bool:
        """Whether mail may be sent at this instant."""
        local = instant.astimezone(LONDON)
        return local.date() not in self.days_off and self.first <= local.time() < self.last

    def next_allowed(self, instant: datetime) -> datetime:
        """The first instant from this one on at which mail may be sent.

        Raises:
            ValueError: Every day of the next weeks is a day off.
        """
        if self.allows_sending(instant):
            return instant
        local = instant.astimezone(LONDON)
        day = local.date() if local.time() < self.first else local.date() + timedelta(days=1)
        for _ in range(MOST_DAYS_OFF):
            if day not in self.days_off:
                return datetime.combine(day, self.first, LONDON).astimezone(UTC)
            day += timedelta(days=1)
        raise ValueError("No day of the next weeks is left to send mail on.")


ANY_TIME = SendWindow(time.min, time.max)


def make_send_window(first: time, last: time, days_off: Collection[date]) -> SendWindow:
    """The send window of these settings."""
    return SendWindow(first, last, frozenset(days_off))
