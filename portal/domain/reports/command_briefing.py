"""A report on one page for a command's meeting: the answer, where it is lowest, and who to ask for what."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from portal.domain.reports import answers, sentences
from portal.domain.reports.charts import LineChart
from portal.domain.reports.parameters import LATE, Filters, Order
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import UnitLine
from portal.domain.reports.trend.trend import month_ends, read_trend
from portal.platform.wording import number, percent_cut, plural

MOST_UNITS = 5
MOST_MANAGERS = 4
MOST_LATE = 1_000  # people whose line managers are counted

DECISIONS = "Exemption or deferral: ask from the report. A directive owner for the unit decides."
ROSTER = "Wrong post or manager, or cannot sign in: Learning and Development."


class Contact(NamedTuple):
    """A line manager, and how many of their people are overdue."""

    name: str
    late: int


@dataclass(frozen=True)
class CommandBriefing:
    """What the one page says of a report; every figure is the report's own."""

    report: CompletionReport

    @property
    def of_whom(self) -> str:
        """The group in words, such as "Response North, Constable"."""
        return answers.of_whom(self.report)

    @property
    def percentage(self) -> str:
        """The group's percentage, rounded down; empty if nobody is counted."""
        share = self.report.group.share
        return percent_cut(share.done, share.total) if share.total else ""

    @property
    def fraction(self) -> str:
        """The people behind the percentage, in words."""
        share, position = self.report.group.share, self.report.position
        is_past = position.as_at != position.today
        if not share.total:
            return "Nobody was required" if is_past else "Nobody is required"
        people = plural(share.total, "person", "people")
        return f"{'were complete' if is_past else 'complete'}, {number(share.done)} of {people}"

    @property
    def beside(self) -> str:
        """Who is not counted, and the percentage of everyone if this is only a group."""
        listed = f"{answers.headline(self.report)}. " if self.report.lists_some else ""
        return f"{listed}{'. '.join(answers.beside(self._group_report))}."

    @property
    def times(self) -> str:
        """Both times of the report."""
        return f"{sentences.both_times(self.report.position)}."

    @property
    def lowest_units(self) -> list[UnitLine]:
        """The units with the lowest percentages, the lowest first; those with nobody counted are left out."""
        return [line for line in self._group_report.units if line.total][:MOST_UNITS]

    @cached_property
    def trend(self) -> LineChart:
        """The percentage at the end of each of the last months."""
        return LineChart(read_trend(self.report, month_ends(self.report.position.as_at)))

    @property
    def definition(self) -> list[str]:
        """How the percentage is worked out, in two sentences."""
        reasons: dict[str, int] = {}
        counted, complete, *_ = sentences.definition_sentences(
            self.report.directive, self.report.group, reasons
        )
        directive = self.report.directive
        due = f"{directive.reference}, version {directive.version_number}: {sentences.due_rule(directive)}."
        return [counted, complete, due]

    @cached_property
    def contacts(self) -> list[Contact]:
        """The line managers with the most people overdue; empty without any, or if too many are overdue."""
        if not 0 < self.late <= MOST_LATE:
            return []
        lines = self._late_report.list_people(Order("person"), 0, MOST_LATE)
        counts = Counter(line.holder.manager for line in lines if line.holder.manager)
        most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [Contact(*pair) for pair in most[:MOST_MANAGERS]]

    @cached_property
    def late(self) -> int:
        """How many people of the group are overdue, or their completion has expired."""
        return self._late_report.shown.assigned

    @property
    def late_words(self) -> str:
        """Who to ask about the people who are overdue, as a sentence."""
        if not self.late:
            return "Nobody is overdue."
        people = plural(self.late, "person is", "people are")
        if self.late > MOST_LATE:
            return f"{people} overdue. Filter the report by unit to see their line managers."
        if not self.contacts:
            return f"{people} overdue, and the roster names no line manager for them."
        return f"{people} overdue. Ask their line managers:"

    @property
    def advice(self) -> tuple[str, ...]:
        """Who to ask for everything else."""
        return DECISIONS, ROSTER

    @cached_property
    def _group_report(self) -> CompletionReport:
        """The report without the filters that list only some of the group."""
        return self._with_filters(self.report.filters.group)

    @cached_property
    def _late_report(self) -> CompletionReport:
        return self._with_filters(replace(self.report.filters.group, status=LATE))

    def _with_filters(self, filters: Filters) -> CompletionReport:
        return self.report if filters == self.report.filters else replace(self.report, filters=filters)
