"""What a message says when it is sent: checked again then, from how things stand at that moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from markupsafe import Markup, escape

from portal.domain.learning.my_learning import MyLearning, load_my_learning
from portal.domain.people.visibility.report_readers import find_report_readers
from portal.domain.reminders.queries import Addressee, ReminderDirective, ReminderLine, list_addressees
from portal.domain.reminders.rules import ReminderReason
from portal.domain.status.reminder_queries import Chased, chased
from portal.platform import wording as say
from portal.platform.clock import london_day
from portal.platform.mail.smtp import Letter, Recipient

NO_ADDRESS = "No email address of the person is known."


@dataclass(frozen=True, slots=True)
class PortalDetails:
    """What a letter needs to know of the portal that sends it."""

    address: str  # where people reach it
    force: str
    line_managers: bool = False  # see direct reports by the roster alone


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """Why nothing is left to be said."""

    reason: str


@dataclass(frozen=True, slots=True)
class CurrentLine:
    """A line that still holds, with where the person it is about stands now."""

    line: ReminderLine
    stands: Chased
    about: Addressee


def compose_reminder(
    person_id: int,
    lines: Sequence[ReminderLine],
    directives: dict[int, ReminderDirective],
    *,
    now: datetime,
    portal: PortalDetails,
) -> Letter | NothingToSend:
    """The mail that these lines still ask for, or why there is none.

    Args:
        person_id: The addressee.
        lines: Why it was planned.
        directives: Those in force, by id.
        now: This instant: what is done, exempt or over by now is not mentioned.
        portal: The portal that sends it.
    """
    day = london_day(now)
    people = list_addressees({person_id, *(line.about_id for line in lines)}, day)
    reader = people.get(person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("The person has left, or is not known any more.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    held = list(_current_lines(person_id, lines, directives, people, day))
    if not held:
        return NothingToSend("Nothing of it held any more: done, exempt, deferred, or not asked any more.")
    held = _readable_lines(person_id, held, day, portal.line_managers)
    if not held:
        return NothingToSend("The line manager cannot open the report of these people.")
    own = [one for one in held if one.line.about_id == person_id]
    team = [one for one in held if one.line.about_id != person_id]
    paragraphs = list(_team_paragraphs(team, directives, day, portal.address))
    if own:
        learning = load_my_learning(person_id, now)
        paragraphs[:0] = _own_paragraphs(own, learning, directives, day, portal.address)
    return compose_letter(
        reader, _subject_line(own, team, directives), paragraphs, foot=_footer_text(portal.force)
    )


def _current_lines(
    person_id: int,
    lines: Sequence[ReminderLine],
    directives: dict[int, ReminderDirective],
    people: dict[int, Addressee],
    day: date,
) -> Iterable[CurrentLine]:
    stands = {(row.person_id, row.directive_id): row for row in chased(day, {one.about_id for one in lines})}
    told: set[tuple[int, int]] = set()
    for line in lines:
        row = stands.get((line.about_id, line.directive_id))
        about = people.get(line.about_id)
        if row is None or about is None or line.directive_id not in directives:
            continue
        if not line.reason.still_holds(row.status) or (line.about_id, line.directive_id) in told:
            continue
        if line.about_id != person_id and row.manager_id != person_id:
            continue  # another manager by now
        told.add((line.about_id, line.directive_id))
        yield CurrentLine(line, row, about)


def _readable_lines(
    person_id: int, held: list[CurrentLine], day: date, line_managers: bool
) -> list[CurrentLine]:
    """The lines about the addressee, and about people whose rows of the report they may read now."""
    if all(one.line.about_id == person_id for one in held):
        return held
    readers = find_report_readers([person_id], day, line_managers=line_managers)
    return [
        one
        for one in held
        if one.line.about_id == person_id
        or readers.may_read(person_id, one.stands.unit_id, one.stands.manager_id)
    ]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence, a list, or a link, in plain words."""

    words: str
    items: tuple[str, ...] = ()
    link: str = ""


def _subject_line(
    own: Sequence[CurrentLine], team: Sequence[CurrentLine], directives: dict[int, ReminderDirective]
) -> str:
    if not own:
        count = len({one.about.person_id for one in team})
        people = say.plural(count, "person", "people")
        return f"{people} you manage {'is' if count == 1 else 'are'} overdue"
    first = min(own, key=lambda one: one.stands.since)
    title = directives[first.line.directive_id].title
    if first.line.reason is ReminderReason.ENDING:
        return f"Ends soon: {title}"
    late = not ReminderReason.NOTICE.still_holds(first.stands.status)
    return f"Overdue: {title}" if late else f"To complete by {say.date(first.stands.due_on)}: {title}"


def _own_paragraphs(
    held: Sequence[CurrentLine],
    mine: MyLearning,
    directives: dict[int, ReminderDirective],
    day: date,
    address: str,
) -> Iterable[Paragraph]:
    for one in held:
        yield Paragraph(f"{directives[one.line.directive_id].title}: {_status_words(one.stands, day)}.")
        if one.line.reason is ReminderReason.NUDGE:
            yield Paragraph("Your manager asked for this reminder.")
    asked = {one.stands.reference for one in held}
    still = [row for row in mine.open_rows if row.requirement.directive in asked]
    if still:
        left = sum(row.minutes_left for row in still)
        about = f", about {say.minutes_words(left)}" if left else ""
        what = f"Still to complete{about}:"
        yield Paragraph(what, tuple(f"{row.title} ({row.requirement.status.label.lower()})" for row in still))
    yield Paragraph("Go on where you left off:", link=f"{address}/learning")


def _status_words(row: Chased, day: date) -> str:
    if ReminderReason.NOTICE.still_holds(row.status):
        left = (row.due_on - day).days
        when = "today" if not left else f"in {say.plural(left, 'day')}"
        return f"due on {say.date(row.due_on)}, {when}"
    if ReminderReason.OVERDUE.still_holds(row.status):
        return f"overdue since {say.date(row.since)}, {say.plural((day - row.since).days, 'day')} ago"
    return f"what you completed counts until {say.date(row.valid_until)}"


def _team_paragraphs(
    held: Sequence[CurrentLine], directives: dict[int, ReminderDirective], day: date, address: str
) -> Iterable[Paragraph]:
    by_directive: dict[int, list[CurrentLine]] = {}
    for one in held:
        by_directive.setdefault(one.line.directive_id, []).append(one)
    for directive_id, people in by_directive.items():
        reference = quote(directives[directive_id].reference, safe="")
        yield Paragraph(
            f"People you manage who are overdue under {directives[directive_id].title}:",
            tuple(
                f"{one.about.full_name} ({one.about.staff_number}): {_status_words(one.stands, day)}"
                for one in sorted(people, key=lambda one: (one.stands.since, one.about.surname))
            ),
        )
        link = f"{address}/monitoring/directives/{reference}?status=late"
        yield Paragraph("See them in the report:", link=link)


def _footer_text(force: str) -> str:
    return (
        f"{force} sends this from its learning portal because a directive asks this of you or of people you "
        "manage. Replies are not read. What was completed since is not in it."
    )


def compose_letter(to: Addressee, subject: str, paragraphs: Sequence[Paragraph], *, foot: str) -> Letter:
    """A letter of these paragraphs, as text and as HTML, with a line at its end that says why it came."""
    recipient = Recipient(to.full_name, to.email)
    return Letter(
        recipient, subject, _text_body(to, paragraphs, foot), _html_body(to, subject, paragraphs, foot)
    )


def _text_body(reader: Addressee, paragraphs: Iterable[Paragraph], foot: str) -> str:
    parts = [f"Dear {reader.full_name},"]
    for one in paragraphs:
        lines = [one.words, *(f"- {item}" for item in one.items), *([one.link] if one.link else [])]
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
    for one in paragraphs:
        body.append(Markup("<p>{}</p>").format(one.words))
        if one.items:
            items = Markup("").join(Markup("<li>{}</li>").format(item) for item in one.items)
            body.append(Markup("<ul>{}</ul>").format(items))
        if one.link:
            body.append(Markup('<p><a href="{0}" style="color:#1d70b8">{0}</a></p>').format(one.link))
    small = Markup('<p style="font-size:14px;color:#505a5f">{}</p>').format(foot)
    return str(_PAGE.format(title=escape(subject), body=Markup("").join([*body, small])))
