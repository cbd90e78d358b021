"""The sentences of the monitoring pages: the answer first, with its definition beside it."""

from datetime import date

from portal.domain.directives.exclusions import REASON_WORDS
from portal.domain.learning.queries import ModuleProgress
from portal.domain.reports.as_of import Position
from portal.domain.reports.completion.export_columns import CompletionRow
from portal.domain.reports.directive_snapshot import Subject
from portal.domain.reports.filters import FIELD_WORDS, Filters, said
from portal.domain.reports.statistics import Figures, Share
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform import wording as say

ACHIEVED = {
    "assessed": "Passed",
    "attended": "Attended",
    "acknowledged": "Acknowledged",
    "waived": "Prior learning, recognised as of",
    "imported": "Completed in another system",
    "external": "Completed in another system",
}
SOURCES = {
    "assessed": "Passed",
    "attended": "Attended",
    "acknowledged": "Acknowledged",
    "waived": "Prior learning recognised for",
    "imported": "Completed in another system:",
    "external": "Completed in another system:",
}


def on_day(position: Position) -> str:
    """How a sentence about an earlier day begins; empty for today."""
    return "" if position.as_at == position.today else f"On {say.date(position.as_at)}, "


def headline(figures: Figures, position: Position) -> str:
    """The answer of a report: the percentage and its fraction, in the past tense for an earlier day."""
    share = figures.share
    before = position.as_at != position.today
    on = on_day(position)
    if not share.total:
        return f"{on}nobody was required" if before else "Nobody is required"
    percent = say.percent_cut(share.done, share.total)
    people = say.plural(share.total, "person", "people")
    done = say.number(share.done)
    return (
        f"{on}{percent} were complete: {done} of {people}"
        if before
        else f"{percent} complete: {done} of {people}"
    )


def of_group(filters: Filters, figures: Figures) -> str:
    """Whom the filters name, with their share; empty where they name nobody in particular.

    Args:
        filters: Of the report; where somebody stands says nothing of who they are, and is left aside.
        figures: Of those whom they name.
    """
    named = [
        f"{FIELD_WORDS[name].lower()} {said(name, value)}" for name, value in filters.group.address.items()
    ]
    if not named:
        return ""
    who, share = ", ".join(named), figures.share
    of = f"{say.number(share.done)} of {say.plural(share.total, 'person', 'people')}"
    stand = (
        f"{say.percent_cut(share.done, share.total)} complete, {of}" if share.total else "nobody is counted"
    )
    return f"{who[:1].upper()}{who[1:]}: {stand}"


def not_counted(figures: Figures) -> str:
    """What the denominator leaves out."""
    exempt, deferred = figures.count(Status.EXEMPT), figures.count(Status.DEFERRED)
    assigned = f"{say.number(figures.assigned)} assigned"
    left_out = [f"{say.number(n)} {word}" for n, word in ((exempt, "exempt"), (deferred, "deferred")) if n]
    return f"{assigned}, less {' and '.join(left_out)}" if left_out else f"{assigned}, nobody left out"


def excluded(figures: Figures) -> str:
    """The same as a sentence of a card; empty where nobody is left out."""
    exempt, deferred = figures.count(Status.EXEMPT), figures.count(Status.DEFERRED)
    parts = [f"{say.number(n)} {word}" for n, word in ((exempt, "exempt"), (deferred, "deferred")) if n]
    if not parts:
        return ""
    return f"{' and '.join(parts)} {'is' if exempt + deferred == 1 else 'are'} not counted."


def times(position: Position) -> str:
    """Both times of a report."""
    return f"As at {say.date(position.as_at)}, {knowledge(position)}"


def knowledge(position: Position) -> str:
    """What the report knows, to the minute."""
    day = clock.london_day(position.as_known_on)
    moment = say.clock_time(position.as_known_on)
    when = moment if day == position.today else say.instant(position.as_known_on)
    if position.latest:
        return f"as known now (last change {when})"
    if position.as_known_on == clock.end_of_day(day):
        said = "that day" if day == position.as_at else say.date(day)
        return f"as known at the end of {said} ({moment})"
    return f"as known at {when}"


def banner(position: Position) -> str:
    """What a past position says of itself; empty for today as known now."""
    if not position.past:
        return ""
    lead = "Forecast: you" if position.forecast else "You"
    known = "as known then" if position.known_then else knowledge(position).partition(" (last")[0]
    return f"{lead} are looking at {say.date(position.as_at)}, {known}."


def due(subject: Subject) -> str:
    """The due rule in words."""
    fixed, days = subject.due_fixed_on, subject.due_days_after_joining
    if fixed and days is not None:
        return f"due {say.date(fixed)}, or {say.plural(days, 'day')} after joining"
    if fixed:
        return f"due {say.date(fixed)}"
    return f"due {say.plural(days or 0, 'day')} after joining"


def validity(subject: Subject) -> str:
    """How long a completion counts."""
    if subject.validity_months:
        return f"A completion counts for {say.plural(subject.validity_months, 'month')}."
    if subject.yearly_on:
        month, day = map(int, subject.yearly_on.split("-"))
        return f"A completion counts until the next {date(2000, month, day):%-d %B}."
    return "A completion counts without end."


def change(before: Share, now: Share) -> str:
    """How many more are complete than a week ago."""
    more = now.done - before.done
    if not more:
        return "No change"
    return f"{say.number(abs(more))} {'more' if more > 0 else 'fewer'} complete"


def as_known_now(share: Share) -> str:
    """The same day with today's knowledge."""
    if not share.total:
        return "As known now, nobody was required on the same day."
    fraction = f"{say.number(share.done)} of {say.number(share.total)}"
    return f"As known now, the same day stands at {say.percent_cut(share.done, share.total)}: {fraction}."


def definition(subject: Subject, figures: Figures, reasons: dict[str, int]) -> list[str]:
    """How a percentage is worked out, sentence by sentence."""
    share = figures.share
    left_out = ", ".join(f"{reason(key)} {count}" for key, count in reasons.items())
    return [
        f"The percentage is {say.number(share.done)} people who are complete, of {say.number(share.total)} "
        "who are assigned and neither exempt nor deferred. It is cut, not rounded up: 100% means everyone.",
        "A person is complete when every requirement is. "
        "A requirement is overdue from the day after its due date.",
        f"Not counted, by reason: {left_out}." if left_out else "Nobody is exempt or deferred.",
        f"{subject.reference}, version {subject.version_number}: {due(subject)}. {validity(subject)}",
        "The day is taken at its end in London, with the posts and units of that day, "
        "as known at the time shown.",
    ]


def day(position: Position) -> str:
    """The day as the form shows it."""
    return say.date(position.as_at)


def known_on(position: Position) -> str:
    """The knowledge as the form shows it: empty means now, a day means its end."""
    if position.latest:
        return ""
    known = clock.london_day(position.as_known_on)
    ends = position.as_known_on == clock.end_of_day(known)
    return say.date(known) if ends else clock.format_utc(position.as_known_on)


def reason(key: str) -> str:
    """The words of a reason category."""
    return REASON_WORDS.get(key, key.replace("_", " "))


def where(name: str, status: Status, missing: int, asked: int, due_on: date, noun: str) -> str:
    """Where a person stands, in one sentence."""
    if status is Status.EXEMPT:
        return f"{name} is exempt"
    if status is Status.DEFERRED:
        return f"{name} is deferred, then due on {say.date(due_on)}"
    if status.held:
        return f"{name} has completed {'all ' if asked > 1 else ''}{say.plural(asked, noun)}"
    still = f"{missing} of {say.plural(asked, noun)}"
    if status in (Status.OVERDUE, Status.EXPIRED):
        return f"{name} is overdue: {still} to complete, due on {say.date(due_on)}"
    return f"{name} has {still} to complete by {say.date(due_on)}"


def stands(row: CompletionRow, minutes: int, position: Position, lesson: str = "") -> str:
    """Where one requirement stands, beside its status; ``lesson`` says how far a module under way is."""
    if row.status.excluded:
        return reason(row.exclusion_reason or "other").capitalize()
    if row.status.held:
        return _achieved(row)
    words = []
    if row.status is Status.EXPIRED and row.valid_until:
        words.append(f"ended on {say.date(row.valid_until)}")
    if row.status is Status.OVERDUE:
        late = (position.as_at - row.due_on).days
        words.append(f"due {say.date(row.due_on)}, {say.plural(late, 'day')} ago")
    if row.started_at:
        words.append(f"begun on {say.date(row.started_at)}")
    if row.attempts:
        words.append(say.plural(row.attempts, "attempt"))
    about = f"about {say.minutes_words(minutes)}{' left' if lesson else ''}" if minutes else ""
    said = " · ".join([*words, *filter(None, (lesson, about))])
    return said[:1].upper() + said[1:]


def lesson_of(course: ModuleProgress) -> str:
    """How far a module under way is, in lessons; empty where it has none."""
    if course.next_lesson is None:
        return "every lesson complete" if course.lessons else ""
    return f"lesson {course.next_lesson.position} of {len(course.lessons)}"


def _achieved(row: CompletionRow) -> str:
    how = ACHIEVED.get(row.source or "", "Completed")
    score = f" with {int(row.score_scaled * 100)}%" if row.score_scaled is not None else ""
    late = f", {say.plural(row.late_days, 'day')} late" if row.late_days else ""
    ends = f", counts until {say.date(row.valid_until)}" if row.valid_until else ""
    return f"{how}{'' if how.endswith(' of') else ' on'} {say.date(row.satisfied_at)}{score}{late}{ends}"
