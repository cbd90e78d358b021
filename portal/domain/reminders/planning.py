"""Plans the reminders of a day: who gets one and why, and who cannot be reached. Writes nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from portal.domain.people.visibility.report_readers import find_report_readers
from portal.domain.reminders import queries
from portal.domain.reminders.queries import Addressee, ReminderDirective, ReminderLine, list_addressees
from portal.domain.reminders.rules import PlanningWindow, ReminderReason, list_reasons
from portal.domain.status.reminder_queries import Chased, chased

MOST_DAYS = 31  # caught up with, where nothing was planned for longer


@dataclass(slots=True)
class ReminderPlan:
    """Who gets a reminder and why, and who cannot be reached."""

    window: PlanningWindow
    letters: dict[int, list[ReminderLine]] = field(default_factory=dict)  # by addressee
    unreachable: dict[int, str] = field(default_factory=dict)  # by person: no address, no line manager
    untold: dict[int, list[int]] = field(default_factory=dict)  # by line manager: people they may not see
    people: dict[int, Addressee] = field(default_factory=dict)
    directives: dict[int, ReminderDirective] = field(default_factory=dict)

    @property
    def line_count(self) -> int:
        """How many reasons all letters have."""
        return sum(len(lines) for lines in self.letters.values())


def plan_reminders(day: date, *, line_managers: bool = False) -> ReminderPlan:
    """Plan the reminders of the days since the last planned one, to be sent from ``day`` on. Writes nothing.

    Args:
        day: When it would go.
        line_managers: Whether the roster alone gives line managers sight of their direct reports. A line
            manager who may not see somebody gets no reminder about them.
    """
    last = queries.last_planned()
    after = max(last or day - timedelta(days=1), day - timedelta(days=MOST_DAYS))
    plan = ReminderPlan(PlanningWindow(after, day), directives=queries.directives_in_force(day))
    rows = chased(day) if after < day else []
    escalated = [row for row in rows if ReminderReason.ESCALATION in _add_own(plan, row)]
    _add_escalated(plan, escalated, day, line_managers)
    concerned = {about for lines in plan.letters.values() for about in (line.about_id for line in lines)}
    untold = {*plan.untold, *(about for people in plan.untold.values() for about in people)}
    plan.people = list_addressees(concerned | set(plan.letters) | set(plan.unreachable) | untold, day)
    for person_id in {**plan.letters, **plan.untold}:
        reader = plan.people.get(person_id)
        why = "nobody reads it: no post" if reader and not reader.has_post else ""
        if reader is None or (person_id in plan.letters and not reader.email):
            why = "no address is known"
        if why:
            plan.unreachable[person_id] = why
            plan.letters.pop(person_id, None)
            plan.untold.pop(person_id, None)
    return plan


def _add_own(plan: ReminderPlan, row: Chased) -> list[ReminderReason]:
    """Add the person's own reasons; returns every reason, the line manager's too."""
    about = plan.directives.get(row.directive_id)
    if about is None:
        return []
    due = list_reasons(row.status, row.due_on, row.since, row.valid_until, about.rules, plan.window)
    for reason in due:
        if reason is not ReminderReason.ESCALATION:
            line = ReminderLine(row.directive_id, row.person_id, reason)
            plan.letters.setdefault(row.person_id, []).append(line)
    return due


def _add_escalated(plan: ReminderPlan, rows: Sequence[Chased], day: date, line_managers: bool) -> None:
    """Add reminders to line managers about overdue people whose rows of the report they may read."""
    managers = {row.manager_id for row in rows if row.manager_id is not None}
    readers = find_report_readers(managers, day, line_managers=line_managers)
    for row in rows:
        if row.manager_id is None or row.manager_id == row.person_id:
            plan.unreachable.setdefault(row.person_id, "overdue, and no line manager is known")
        elif readers.may_read(row.manager_id, row.unit_id, row.manager_id):
            line = ReminderLine(row.directive_id, row.person_id, ReminderReason.ESCALATION)
            plan.letters.setdefault(row.manager_id, []).append(line)
        elif row.person_id not in plan.untold.setdefault(row.manager_id, []):
            plan.untold[row.manager_id].append(row.person_id)


def dry_run_lines(plan: ReminderPlan) -> list[str]:
    """What would be sent to each person, and why, one line each: for a dry run."""
    lines = []
    for person_id, reasons_of in plan.letters.items():
        reader = plan.people[person_id]
        why = "; ".join(reason_in_words(plan, line, person_id) for line in reasons_of)
        lines.append(f"{reader.staff_number} {reader.full_name}: {why}")
    for person_id, reason in plan.unreachable.items():
        one = plan.people.get(person_id)
        lines.append(f"{one.staff_number if one else 'Erased'}: not reached, {reason}")
    for person_id, about in plan.untold.items():
        reader = plan.people[person_id]
        names = ", ".join(plan.people[one].full_name for one in about if one in plan.people)
        lines.append(f"{reader.staff_number} {reader.full_name}: not told, because they cannot see {names}")
    return sorted(lines)


def reason_in_words(
    plan: ReminderPlan, line: ReminderLine, reader: int, seen: Collection[int] | None = None
) -> str:
    """One reason in words, naming the person it is about if that is somebody else.

    Args:
        plan: Where it stands.
        line: The reason.
        reader: Who is written to.
        seen: Who may be named; None: everybody.
    """
    about = plan.people.get(line.about_id)
    name = (
        ""
        if about is None
        else about.full_name
        if seen is None or about.person_id in seen
        else queries.UNSEEN
    )
    of = "" if line.about_id == reader or not name else f", {name}"
    return f"{plan.directives[line.directive_id].reference} {queries.in_words(line.reason)}{of}"
