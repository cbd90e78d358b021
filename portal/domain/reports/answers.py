"""The answer of a report in sentences that say of whom it speaks: the same on the page and in every file.

Filters on unit, role and rank choose a group, whose percentage is the answer. Filters on name, status,
lateness and due date list some of the group: the answer is then how many, with the percentage beside it.
"""

from portal.domain.reports import sentences
from portal.domain.reports.parameters import (
    DUE_WORDS,
    LATE,
    LATE_WORDS,
    STATUS_WORDS,
    Filters,
)
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Figures
from portal.platform import wording as say


def headline(report: CompletionReport) -> str:
    """The answer: the percentage with its fraction and of whom, or how many of them are listed."""
    words = ", ".join(filter(None, (group_words(report.filters), list_words(report.filters))))
    if not words:
        return sentences.report_headline(report.figures, report.position)
    words = f"{words[:1].upper()}{words[1:]}"
    if report.position.as_at != report.position.today:
        words = f"{words}, on {say.date(report.position.as_at)}"
    if not report.lists_some:
        return f"{words}: {_share_words(report.group, report)}"
    listed, everyone = report.shown.assigned, report.group.assigned
    return f"{words}: {say.number(listed)} of {say.plural(everyone, 'person', 'people')}"


def beside(report: CompletionReport) -> list[str]:
    """What stands beside the answer: the group's percentage and who is not counted, then that of everyone."""
    counted = sentences.not_counted(report.group)
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
