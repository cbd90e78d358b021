"""Decides on which days people are reminded, and why. Pure: dates in, reasons out."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.domain.status.rules import Status

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
