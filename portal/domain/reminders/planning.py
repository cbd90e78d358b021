"""Plans the reminders of a day: who gets one and why, and who cannot be reached. Writes nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from portal.domain.people.visibility.report_readers import find_report_readers
from portal.domain.reminders import outbox_words, queries
from portal.domain.reminders.queries import Addressee, ReminderDirective, ReminderLine, list_addressees
from portal.domain.reminders.rules import PlanningWindow, ReminderReason, list_reasons
from portal.domain.status.queries import PersonToRemind, people_to_remind
from portal.platform.jobs.items import ItemFailures

MOST_DAYS = 31  # the most days to catch up on, if nothing was planned for longer


@dataclass(slots=True)
class ReminderPlan:
    """Who gets a reminder and why, and who gets none although they should."""

    window: PlanningWindow
    letters: dict[int, list[ReminderLine]] = field(default_factory=dict)  # by addressee
    unreachable: dict[int, str] = field(default_factory=dict)  # by person: why, such as no address
    untold: dict[int, list[int]] = field(default_factory=dict)  # by line manager: people they may not see
    people: dict[int, Addressee] = field(default_factory=dict)
    directives: dict[int, ReminderDirective] = field(default_factory=dict)
    failures: ItemFailures = field(default_factory=lambda: ItemFailures("part"))  # in queueing other mails

    @property
    def line_count(self) -> int:
        """The number of lines of all letters."""
        return sum(len(lines) for lines in self.letters.values())


def plan_reminders(day: date, *, line_managers: bool = False) -> ReminderPlan:
    """Plan the reminders of the days since the last planned one, to be sent from ``day`` on. Writes nothing.

    Args:
        day: The London day on which they would be sent.
        line_managers: Whether the roster alone gives line managers sight of their direct reports. A line
            manager who may not see somebody gets no reminder about them.
    """
    last = queries.last_planned_day()
    after = max(last or day - timedelta(days=1), day - timedelta(days=MOST_DAYS))
    plan = ReminderPlan(PlanningWindow(after, day), directives=queries.directives_in_force(day))
    rows = people_to_remind(day) if after < day else []
    escalated = [row for row in rows if ReminderReason.ESCALATION in _add_own_lines(plan, row)]
    _add_escalations(plan, escalated, day, line_managers)
    plan.people = list_addressees(_people_of_plan(plan), day)
    for person_id in {**plan.letters, **plan.untold}:
        reader = plan.people.get(person_id)
        reason = "has no post" if reader and not reader.has_post else ""
        if reader is None or (person_id in plan.letters and not reader.email):
            reason = "no email address is known"
        if reason:
            plan.unreachable[person_id] = reason
            plan.letters.pop(person_id, None)
            plan.untold.pop(person_id, None)
    return plan


def _people_of_plan(plan: ReminderPlan) -> set[int]:
    """Everybody whom the plan writes to or names."""
    people = {*plan.letters, *plan.unreachable, *plan.untold}
    people.update(line.about_id for lines in plan.letters.values() for line in lines)
    people.update(about_id for about_ids in plan.untold.values() for about_id in about_ids)
    return people


def _add_own_lines(plan: ReminderPlan, row: PersonToRemind) -> list[ReminderReason]:
    """Add the person's own reminders; return all reasons, the line manager's too."""
    directive = plan.directives.get(row.directive_id)
    if directive is None:
        return []
    reasons = list_reasons(row.status, row.due_on, row.since, row.valid_until, directive.rules, plan.window)
    for reason in reasons:
        if reason is not ReminderReason.ESCALATION:
            line = ReminderLine(row.directive_id, row.person_id, reason)
            plan.letters.setdefault(row.person_id, []).append(line)
    return reasons


def _add_escalations(
    plan: ReminderPlan, rows: Sequence[PersonToRemind], day: date, line_managers: bool
) -> None:
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
    """One line for each person who would get a reminder, or should but cannot, and why: for a dry run."""
    lines = []
    for person_id, reminder_lines in plan.letters.items():
        reader = plan.people[person_id]
        reasons = "; ".join(line_words(plan, line, person_id) for line in reminder_lines)
        lines.append(f"{reader.staff_number} {reader.full_name}: {reasons}")
    for person_id, reason in plan.unreachable.items():
        person = plan.people.get(person_id)
        lines.append(f"{person.staff_number if person else 'Erased'}: not reached, {reason}")
    for person_id, about_ids in plan.untold.items():
        reader = plan.people[person_id]
        names = ", ".join(plan.people[i].full_name for i in about_ids if i in plan.people)
        lines.append(f"{reader.staff_number} {reader.full_name}: not told, because they cannot see {names}")
    return sorted(lines)


def line_words(
    plan: ReminderPlan, line: ReminderLine, reader_id: int, visible: Collection[int] | None = None
) -> str:
    """One reason in words, naming the person it is about if that is not the reader.

    Args:
        plan: The plan with this line.
        line: The reason.
        reader_id: The addressee.
        visible: Who may be named; None: everybody.
    """
    words = f"{plan.directives[line.directive_id].reference} {outbox_words.reason_words(line.reason)}"
    about = plan.people.get(line.about_id)
    if about is None or line.about_id == reader_id:
        return words
    is_visible = visible is None or line.about_id in visible
    return f"{words}, {about.full_name if is_visible else outbox_words.UNSEEN}"
