"""Composes reminders when they are sent, from the data of that moment."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import quote

from markupsafe import Markup, escape

from portal.domain.learning.my_learning import MyLearning, load_my_learning
from portal.domain.people.sight import find_report_readers
from portal.domain.reminders import queries, rules
from portal.domain.reminders.queries import Addressee, ReminderDirective, ReminderLine, list_addressees
from portal.domain.reminders.rules import PlanningWindow, ReminderReason, list_reasons
from portal.domain.status.queries import PersonToRemind, people_to_remind
from portal.platform import wording as say
from portal.platform.clock import london_day
from portal.platform.jobs.registry import ItemFailures
from portal.platform.mail import Letter, Recipient

NO_ADDRESS = "No email address is known for this person."


@dataclass(frozen=True, slots=True)
class PortalDetails:
    """The settings of the portal that its letters need."""

    address: str  # for links
    force: str
    line_managers: bool = False  # whether the roster alone shows line managers their direct reports
    sender: str = ""  # of every mail, perhaps with a name before the address


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """Why a message need not be sent any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class CurrentLine:
    """A line that still applies, with the status and the name of the person it is about."""

    line: ReminderLine
    row: PersonToRemind
    about: Addressee


def compose_reminder(
    person_id: int,
    lines: Sequence[ReminderLine],
    directives: dict[int, ReminderDirective],
    *,
    now: datetime,
    portal: PortalDetails,
) -> Letter | NothingToSend:
    """Compose the mail for the lines that still apply, or say why there is none.

    Args:
        person_id: The addressee.
        lines: Why it was planned.
        directives: Those in force, by id.
        now: This instant; what is completed, exempt or over by now is not mentioned.
        portal: The portal that sends it.
    """
    day = london_day(now)
    people = list_addressees({person_id, *(line.about_id for line in lines)}, day)
    reader = people.get(person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    current_lines = list(_list_current_lines(person_id, lines, directives, people, day))
    if not current_lines:
        return NothingToSend("Not needed any more: completed, exempt, deferred or no longer required.")
    current_lines = _list_readable_lines(person_id, current_lines, day, portal.line_managers)
    if not current_lines:
        return NothingToSend("The line manager cannot open the report about these people.")
    own = [current for current in current_lines if current.line.about_id == person_id]
    team = [current for current in current_lines if current.line.about_id != person_id]
    paragraphs = list(_team_paragraphs(team, directives, day, portal.address))
    if own:
        learning = load_my_learning(person_id, now)
        paragraphs[:0] = _own_paragraphs(own, learning, directives, day, portal.address)
    return compose_letter(
        reader, _subject_line(own, team, directives), paragraphs, foot=_footer_text(portal.force)
    )


def _list_current_lines(
    person_id: int,
    lines: Sequence[ReminderLine],
    directives: dict[int, ReminderDirective],
    people: dict[int, Addressee],
    day: date,
) -> Iterable[CurrentLine]:
    """The lines that still apply, the first for each person and directive."""
    rows = people_to_remind(day, {line.about_id for line in lines})
    row_by_key = {(row.person_id, row.directive_id): row for row in rows}
    mentioned: set[tuple[int, int]] = set()
    for line in lines:
        key = (line.about_id, line.directive_id)
        row, about = row_by_key.get(key), people.get(line.about_id)
        if row is None or about is None or line.directive_id not in directives:
            continue
        if not line.reason.still_applies(row.status) or key in mentioned:
            continue
        if line.about_id != person_id and row.manager_id != person_id:
            continue  # they have another line manager by now
        mentioned.add(key)
        yield CurrentLine(line, row, about)


def _list_readable_lines(
    person_id: int, lines: list[CurrentLine], day: date, line_managers: bool
) -> list[CurrentLine]:
    """The lines about the addressee, and about people whose rows of the report they may read now."""
    if all(current.line.about_id == person_id for current in lines):
        return lines
    readers = find_report_readers([person_id], day, line_managers=line_managers)
    return [
        current
        for current in lines
        if current.line.about_id == person_id
        or readers.may_read(person_id, current.row.unit_id, current.row.manager_id)
    ]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence, and perhaps a list and a link after it."""

    text: str
    items: tuple[str, ...] = ()
    link: str = ""


def _subject_line(
    own: Sequence[CurrentLine], team: Sequence[CurrentLine], directives: dict[int, ReminderDirective]
) -> str:
    if not own:
        count = len({current.about.person_id for current in team})
        people = say.plural(count, "person", "people")
        return f"{people} you manage {'is' if count == 1 else 'are'} overdue"
    first = min(own, key=lambda current: current.row.since)
    title = directives[first.line.directive_id].title
    if first.line.reason is ReminderReason.ENDING:
        return f"Ends soon: {title}"
    if ReminderReason.NOTICE.still_applies(first.row.status):
        return f"To complete by {say.date(first.row.due_on)}: {title}"
    return f"Overdue: {title}"


def _own_paragraphs(
    lines: Sequence[CurrentLine],
    learning: MyLearning,
    directives: dict[int, ReminderDirective],
    day: date,
    address: str,
) -> Iterable[Paragraph]:
    for current in lines:
        title = directives[current.line.directive_id].title
        yield Paragraph(f"{title}: {_status_words(current.row, day)}.")
        if current.line.reason is ReminderReason.NUDGE:
            yield Paragraph("Your manager asked for this reminder.")
    references = {current.row.reference for current in lines}
    open_rows = [row for row in learning.open_rows if row.requirement.directive in references]
    if open_rows:
        minutes = sum(row.minutes_left for row in open_rows)
        duration = f", about {say.minutes_words(minutes)}" if minutes else ""
        items = tuple(f"{row.title} ({row.requirement.status.label.lower()})" for row in open_rows)
        yield Paragraph(f"Still to complete{duration}:", items)
    yield Paragraph("Go on where you left off:", link=f"{address}/learning")


def _status_words(row: PersonToRemind, day: date) -> str:
    if ReminderReason.NOTICE.still_applies(row.status):
        days = (row.due_on - day).days
        when = "today" if not days else f"in {say.plural(days, 'day')}"
        return f"due on {say.date(row.due_on)}, {when}"
    if ReminderReason.OVERDUE.still_applies(row.status):
        return f"overdue since {say.date(row.since)}, {say.plural((day - row.since).days, 'day')} ago"
    return f"your completion counts until {say.date(row.valid_until)}"


def _team_paragraphs(
    lines: Sequence[CurrentLine], directives: dict[int, ReminderDirective], day: date, address: str
) -> Iterable[Paragraph]:
    lines_by_directive: dict[int, list[CurrentLine]] = {}
    for current in sorted(lines, key=lambda current: (current.row.since, current.about.surname)):
        lines_by_directive.setdefault(current.line.directive_id, []).append(current)
    for directive_id in dict.fromkeys(current.line.directive_id for current in lines):
        items = tuple(
            f"{current.about.full_name} ({current.about.staff_number}): {_status_words(current.row, day)}"
            for current in lines_by_directive[directive_id]
        )
        yield Paragraph(f"People you manage who are overdue under {directives[directive_id].title}:", items)
        reference = quote(directives[directive_id].reference, safe="")
        link = f"{address}/monitoring/directives/{reference}?status=late#people"
        yield Paragraph("See them in the report:", link=link)


def _footer_text(force: str) -> str:
    return (
        f"{force} sent this from its learning portal because a directive applies to you or to people you "
        "manage. Replies are not read. It does not show what was completed after it was sent."
    )


def compose_letter(to: Addressee, subject: str, paragraphs: Sequence[Paragraph], *, foot: str) -> Letter:
    """A letter of these paragraphs, as text and as HTML; ``foot``, its last line, says why it was sent."""
    recipient = Recipient(to.full_name, to.email)
    return Letter(
        recipient, subject, _text_body(to, paragraphs, foot), _html_body(to, subject, paragraphs, foot)
    )


def _text_body(reader: Addressee, paragraphs: Iterable[Paragraph], foot: str) -> str:
    parts = [f"Dear {reader.full_name},"]
    for paragraph in paragraphs:
        lines = [paragraph.text, *(f"- {item}" for item in paragraph.items)]
        if paragraph.link:
            lines.append(paragraph.link)
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, "-- \n" + foot, ""])


_PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>'
    '<body style="margin:0;padding:16px;font:16px/1.5 Arial,sans-serif;color:#0b0c0c;background:#ffffff">'
    '<div style="max-width:560px">{body}</div></body></html>'
)


def _html_body(reader: Addressee, subject: str, paragraphs: Iterable[Paragraph], foot: str) -> str:
    body = [Markup("<p>Dear {},</p>").format(reader.full_name)]
    for paragraph in paragraphs:
        body.append(Markup("<p>{}</p>").format(paragraph.text))
        if paragraph.items:
            items = Markup("").join(Markup("<li>{}</li>").format(item) for item in paragraph.items)
            body.append(Markup("<ul>{}</ul>").format(items))
        if paragraph.link:
            body.append(Markup('<p><a href="{0}" style="color:#1d70b8">{0}</a></p>').format(paragraph.link))
    small = Markup('<p style="font-size:14px;color:#505a5f">{}</p>').format(foot)
    return str(_PAGE.format(title=escape(subject), body=Markup("").join([*body, small])))


# Plans the reminders of a day: who gets one and why, and who cannot be reached. Writes nothing.

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
    window = read_window(day)
    plan = ReminderPlan(window, directives=queries.directives_in_force(day))
    rows = people_to_remind(day) if window.after < day else []
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


def read_window(day: date) -> PlanningWindow:
    """The days up to this one for which reminders are not planned yet."""
    last = queries.last_planned_day()
    return PlanningWindow(max(last or day - timedelta(days=1), day - timedelta(days=MOST_DAYS)), day)


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
    words = f"{plan.directives[line.directive_id].reference} {rules.reason_words(line.reason)}"
    about = plan.people.get(line.about_id)
    if about is None or line.about_id == reader_id:
        return words
    is_visible = visible is None or line.about_id in visible
    return f"{words}, {about.full_name if is_visible else rules.UNSEEN}"
