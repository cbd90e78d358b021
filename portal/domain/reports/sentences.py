"""Sentences of reports, for pages and files: the answer, its definition, its two times."""

from datetime import date, datetime

from portal.domain.directives.services import REASON_WORDS
from portal.domain.learning.queries import ModuleProgress
from portal.domain.reports.completion_rows import CompletionRow
from portal.domain.reports.parameters import DUE_WORDS, LATE, LATE_WORDS, STATUS_WORDS, Filters, Position
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import DirectiveSnapshot, Figures, Share
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


FORECAST = "This date is later than the records used: an outlook, not evidence."


def day_prefix(position: Position) -> str:
    """The beginning of a sentence about an earlier day; empty for today."""
    return "" if position.as_at == position.today else f"On {say.date(position.as_at)}, "


def report_headline(figures: Figures, position: Position) -> str:
    """The percentage of a report with its fraction, in the past tense for an earlier day."""
    share = figures.share
    is_past = position.as_at != position.today
    prefix = day_prefix(position)
    if not share.total:
        return f"{prefix}nobody was required" if is_past else "Nobody is required"
    percent = say.percent_cut(share.done, share.total)
    people = say.plural(share.total, "person", "people")
    done = say.number(share.done)
    return (
        f"{prefix}{percent} were complete: {done} of {people}"
        if is_past
        else f"{percent} complete: {done} of {people}"
    )


def not_counted(figures: Figures) -> str:
    """How many people are assigned, and how many of them are not counted."""
    exempt, deferred = figures.count_people(Status.EXEMPT), figures.count_people(Status.DEFERRED)
    assigned = f"{say.number(figures.assigned)} assigned"
    excluded = [f"{say.number(n)} {word}" for n, word in ((exempt, "exempt"), (deferred, "deferred")) if n]
    return (
        f"{assigned}, less {' and '.join(excluded)}" if excluded else f"{assigned}; none exempt or deferred"
    )


def exclusions_sentence(figures: Figures) -> str:
    """How many people are not counted, as a sentence; empty if everybody is."""
    exempt, deferred = figures.count_people(Status.EXEMPT), figures.count_people(Status.DEFERRED)
    parts = [f"{say.number(n)} {word}" for n, word in ((exempt, "exempt"), (deferred, "deferred")) if n]
    if not parts:
        return ""
    words = "person is" if exempt + deferred == 1 else "people are"
    return f"{' and '.join(parts)} {words} not counted."


def both_times(position: Position) -> str:
    """Both times of a report in words."""
    return f"As at {say.date(position.as_at)}, {known_on_words(position)}"


def known_on_words(position: Position) -> str:
    """as_known_on in words, to the minute."""
    day = clock.london_day(position.as_known_on)
    moment = say.clock_time(position.as_known_on)
    when = moment if day == position.today else say.instant(position.as_known_on)
    if position.latest:
        return f"as known now (last change {when})"
    if position.as_known_on == clock.end_of_day(day):
        day_words = "that day" if day == position.as_at else say.date(day)
        return f"as known at the end of {day_words} ({moment})"
    return f"as known at {when}"


def banner_sentence(position: Position) -> str:
    """The sentence above a report of a past position; empty for today as known now."""
    if not position.past:
        return ""
    lead = "Forecast: position" if position.forecast else "Position"
    if position.latest:
        records = "all records entered so far"
    elif position.known_then:
        records = "records entered by that day"
    else:
        day = clock.london_day(position.as_known_on)
        is_whole_day = position.as_known_on == clock.end_of_day(day)
        records = f"records entered by {say.date(day) if is_whole_day else say.instant(position.as_known_on)}"
    return f"{lead} on {say.date(position.as_at)}, using {records}."


def due_rule(directive: DirectiveSnapshot) -> str:
    """The due rule in words."""
    fixed, days = directive.due_fixed_on, directive.due_days_after_joining
    if fixed and days is not None:
        return f"due {say.date(fixed)}, or {say.plural(days, 'day')} after joining"
    if fixed:
        return f"due {say.date(fixed)}"
    return f"due {say.plural(days or 0, 'day')} after joining"


def validity_sentence(directive: DirectiveSnapshot) -> str:
    """How long a completion counts."""
    if directive.validity_months:
        return f"A completion counts for {say.plural(directive.validity_months, 'month')}."
    if directive.yearly_on:
        month, day = map(int, directive.yearly_on.split("-"))
        return f"A completion counts until the next {date(2000, month, day):%-d %B}."
    return "A pass does not expire."


def weekly_change(before: Share, now: Share) -> str:
    """How many more people are complete than a week before."""
    more = now.done - before.done
    if not more:
        return "No change"
    return f"{say.number(abs(more))} {'more' if more > 0 else 'fewer'} complete"


def known_now_sentence(share: Share) -> str:
    """The share on the same day as known now."""
    if not share.total:
        return "With records added since, nobody was required on that day."
    fraction = say.fraction(share.done, share.total)
    return f"With records added since, that day is {say.percent_cut(share.done, share.total)}: {fraction}."


def definition_sentences(
    directive: DirectiveSnapshot, figures: Figures, reasons: dict[str, int]
) -> list[str]:
    """How the percentage is worked out, in sentences."""
    share = figures.share
    exclusions = ", ".join(f"{reason_words(key)} {count}" for key, count in reasons.items())
    return [
        f"The percentage is {say.number(share.done)} people who are complete, of {say.number(share.total)} "
        "who are assigned and neither exempt nor deferred. We round down, so 100% means everyone.",
        "A person is complete when every requirement is. "
        "A requirement is overdue from the day after its due date.",
        f"Not counted, by reason: {exclusions}." if exclusions else "Nobody is exempt or deferred.",
        f"{directive.reference}, version {directive.version_number}: {due_rule(directive)}. "
        f"{validity_sentence(directive)}",
        "Counted at the end of the day, UK time, with the posts and units of that day, "
        "as known at the time shown.",
    ]


def day_field(position: Position) -> str:
    """as_at as the form shows it."""
    return say.date(position.as_at)


def known_on_field(position: Position) -> str:
    """as_known_on as the form shows it: empty means now, a day means its end."""
    return "" if position.latest else _time_words(position.as_known_on)


def _time_words(instant: datetime) -> str:
    """A London time such as "09:14 on 30 April 2026", exact to the microsecond; only the day for its end."""
    day = clock.london_day(instant)
    if instant == clock.end_of_day(day):
        return say.date(day)
    if instant == instant.replace(second=0, microsecond=0):
        return say.instant(instant)
    local = instant.astimezone(clock.LONDON)
    return f"{local.time().isoformat()}{' GMT' * local.fold} on {say.date(day)}"


def reason_words(key: str) -> str:
    """The words of a reason category."""
    return REASON_WORDS.get(key, key.replace("_", " "))


def person_sentence(name: str, status: Status, missing: int, total: int, due_on: date, noun: str) -> str:
    """A person's overall status in one sentence.

    Args:
        name: Of the person.
        status: The overall status.
        missing: How many requirements are still to complete.
        total: How many requirements there are.
        due_on: The due date.
        noun: What the requirements are, such as "module".
    """
    if status is Status.EXEMPT:
        return f"{name} is exempt"
    if status is Status.DEFERRED:
        return f"{name} is deferred, then due on {say.date(due_on)}"
    if status.held:
        return f"{name} has completed {'all ' if total > 1 else ''}{say.plural(total, noun)}"
    still = f"{missing} of {say.plural(total, noun)}"
    if status in (Status.OVERDUE, Status.EXPIRED):
        return f"{name} is overdue: {still} to complete, due on {say.date(due_on)}"
    return f"{name} has {still} to complete by {say.date(due_on)}"


def requirement_words(row: CompletionRow, minutes: int, position: Position, lesson: str = "") -> str:
    """The details of one requirement beside its status.

    Args:
        row: The row of the completion file.
        minutes: How long the rest takes; 0: unknown.
        position: Of the report.
        lesson: How far a module under way is, in words.
    """
    if row.status.excluded:
        return reason_words(row.exclusion_reason or "other").capitalize()
    if row.status.held:
        return _completion_words(row)
    words = []
    if row.status is Status.EXPIRED and row.valid_until:
        words.append(f"ended on {say.date(row.valid_until)}")
    if row.status is Status.OVERDUE:
        late = (position.as_at - row.due_on).days
        words.append(f"due {say.date(row.due_on)}, {say.plural(late, 'day')} ago")
    if row.started_at:
        words.append(f"started on {say.date(row.started_at)}")
    if row.attempts:
        words.append(say.plural(row.attempts, "attempt"))
    duration = f"about {say.minutes_words(minutes)}{' left' if lesson else ''}" if minutes else ""
    joined = " · ".join([*words, *filter(None, (lesson, duration))])
    return joined[:1].upper() + joined[1:]


def lesson_words(progress: ModuleProgress) -> str:
    """How far a module under way is, in lessons; empty if it has none."""
    if progress.next_lesson is None:
        return "every lesson complete" if progress.lessons else ""
    return f"lesson {progress.next_lesson.position} of {len(progress.lessons)}"


def _completion_words(row: CompletionRow) -> str:
    how = ACHIEVED.get(row.source or "", "Completed")
    score = f" with {say.percent_cut(row.score_scaled, 1)}" if row.score_scaled is not None else ""
    late = f", {say.plural(row.late_days, 'day')} late" if row.late_days else ""
    ends = f", counts until {say.date(row.valid_until)}" if row.valid_until else ""
    return f"{how}{'' if how.endswith(' of') else ' on'} {say.date(row.satisfied_at)}{score}{late}{ends}"


# The answer of a report in sentences that say of whom it speaks: the same on the page and in every file.
#
# Filters on unit, role and rank choose a group, whose percentage is the answer. Filters on name, status,
# lateness and due date list some of the group: the answer is then how many, with the percentage beside
# it.


def headline(report: CompletionReport) -> str:
    """The answer: the percentage with its fraction and of whom, or how many of them are listed."""
    words = ", ".join(filter(None, (group_words(report.filters), list_words(report.filters))))
    if not words:
        return report_headline(report.figures, report.position)
    words = f"{words[:1].upper()}{words[1:]}"
    if report.position.as_at != report.position.today:
        words = f"{words}, on {say.date(report.position.as_at)}"
    if not report.lists_some:
        return f"{words}: {_share_words(report.group, report)}"
    listed, everyone = report.shown.assigned, report.group.assigned
    return f"{words}: {say.number(listed)} of {say.plural(everyone, 'person', 'people')}"


def beside(report: CompletionReport) -> list[str]:
    """What stands beside the answer: the group's percentage and who is not counted, then that of everyone."""
    counted = not_counted(report.group)
    parts = [f"{group_answer(report)}; {counted}" if report.lists_some else counted]
    if report.filters.group:
        parts.append(f"{_everyone_words(report)}: {_share_words(report.figures, report)}")
    return parts


def group_answer(report: CompletionReport) -> str:
    """The percentage of the group, or of everyone where no group is chosen."""
    return f"{of_whom(report)}: {_share_words(report.group, report)}"


def of_whom(report: CompletionReport) -> str:
    """The group in words, such as "Response North, Constable"; without one, everyone the viewer may see."""
    return group_words(report.filters) or _everyone_words(report)


def group_words(filters: Filters) -> str:
    """The unit, role and ranks of the filters in words; empty without any."""
    values = [filters.words_of(name) for name in filters.group.address]
    words = ", ".join(values)
    return f"{words[:1].upper()}{words[1:]}"


def list_words(filters: Filters) -> str:
    """The other filters in words, such as "overdue more than 90 days"; empty without any."""
    if filters.late and filters.status == LATE:
        filters = filters.without("status")
    words = {
        "q": f"“{filters.q}”",
        "status": STATUS_WORDS.get(filters.status, filters.status).lower(),
        "late": f"overdue {LATE_WORDS.get(filters.late, filters.late).lower()}",
        "due": f"due {DUE_WORDS.get(filters.due, filters.due).lower()}",
    }
    return ", ".join(text for name, text in words.items() if name in filters.address)


def _everyone_words(report: CompletionReport) -> str:
    return "Everyone" if report.viewer_scope.everyone else "Everyone you can see"


def _share_words(figures: Figures, report: CompletionReport) -> str:
    """A percentage with its fraction, in the past tense for an earlier day."""
    share, is_past = figures.share, report.position.as_at != report.position.today
    if not share.total:
        return "nobody was counted" if is_past else "nobody is counted"
    complete = "were complete" if is_past else "complete"
    people = say.plural(share.total, "person", "people")
    return f"{say.percent_cut(share.done, share.total)} {complete}, {say.number(share.done)} of {people}"
