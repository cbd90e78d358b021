"""A report as tagged PDF: the definition of the percentage, then the people."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from portal.domain.reports import sentences
from portal.domain.reports.charts import LineChart, month_ends, read_trend
from portal.domain.reports.completion_rows import PersonRow
from portal.domain.reports.parameters import LATE, Filters, Order
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.sentences import FORECAST
from portal.domain.reports.statistics import GroupLine, UnitLine
from portal.domain.status.rules import Status
from portal.platform import wording as say
from portal.platform.documents.typesetting import quote_text, text_content, typeset_pdf
from portal.platform.errors import RuleError
from portal.platform.wording import number, percent_cut, plural

# Drawings of a report for a PDF: the bar of statuses, bars of units, and the line over the months.
#
# Each drawing repeats figures that stand beside it as text, so it is marked as an artifact, which a
# reader who listens does not hear.

# Colours and textures of the page's bar; the textures tell the statuses apart without colour.
_GROUND = 'rect(width: 4pt, height: 4pt, fill: rgb("{ground}"), stroke: none)'
_STRIPES = f"tiling(size: (4pt, 4pt))[#{_GROUND}#{{line}}]"
_SLANT = 'place(top + left, line(start: (0pt, 4pt), end: (4pt, 0pt), stroke: 1.2pt + rgb("{ink}")))'
_FLAT = 'place(top + left, line(start: (0pt, 2pt), end: (4pt, 2pt), stroke: 1.2pt + rgb("{ink}")))'
_UPRIGHT = 'place(top + left, line(start: (2pt, 0pt), end: (2pt, 4pt), stroke: 1.2pt + rgb("{ink}")))'
GREEN = "#0f7a52"
_KEY = "width: 9pt, height: 9pt, baseline: 1pt, stroke: 0.5pt"


def _tiling(ground: str, ink: str, line: str) -> str:
    return _STRIPES.replace("{ground}", ground).replace("{line}", line.replace("{ink}", ink))


FILLS = {
    Status.SATISFIED: f'rgb("{GREEN}")',
    Status.EXPIRING: _tiling("#cfe4dc", GREEN, _SLANT),
    Status.IN_PROGRESS: _tiling("#ffffff", "#1a65a6", _FLAT),
    Status.OVERDUE: _tiling("#ca3535", "#7a1f1f", _SLANT),
    Status.EXPIRED: _tiling("#ffffff", "#b7592a", _UPRIGHT),
}
_OPEN = 'rgb("#ffffff")'


def status_bar(parts: Sequence[tuple[Status, int]], total: int, height: str = "9mm") -> list[str]:
    """The bar of statuses across the page, and its counts in words; nothing if nobody is counted."""
    shown = [(status, count) for status, count in parts if count]
    if not total or not shown:
        return []
    cells = ", ".join(
        f'rect(width: 100%, height: {height}, stroke: 0.8pt + rgb("#484949"), fill: {_fill(status)})'
        for status, _ in shown
    )
    columns = ", ".join(f"{count}fr" for _, count in shown)
    words = "#h(5mm)".join(
        f"#box[#pdf.artifact(box({_KEY}, fill: {_fill(status)})) "
        f"{text_content(f'{say.number(count)} {status.label}')}]"
        for status, count in shown
    )
    return [f"#pdf.artifact(grid(columns: ({columns},), {cells}))", "", words, ""]


def _fill(status: Status) -> str:
    return FILLS.get(status, _OPEN)


def unit_table(
    lines: Sequence[UnitLine | GroupLine], measure: str = "Complete", head: str = "Unit"
) -> list[str]:
    """A table of units, ranks or roles with their bars, percentages and fractions.

    Args:
        lines: The rows.
        measure: What the bars show.
        head: What the rows are.
    """
    rows = [
        f"[{text_content(line.name)}], [{_unit_bar(line)}], "
        f"table.cell(align: right)[{text_content(_share(line))}],"
        for line in lines
    ]
    heads = ", ".join(f"[{text_content(text)}]" for text in (head, measure, "People"))
    return [f"#table(columns: (2fr, 2fr, auto), table.header({heads}),", *rows, ")"]


def _unit_bar(line: UnitLine | GroupLine) -> str:
    width = 100 * line.done / line.total if line.total else 0
    done = f'rect(width: {width:.2f}%, height: 7pt, stroke: none, fill: rgb("{GREEN}"))'
    return f'#pdf.artifact(block(width: 100%, height: 7pt, stroke: 0.5pt + rgb("#484949"), {done}))'


def _share(line: UnitLine | GroupLine) -> str:
    return f"{say.percent_cut(line.done, line.total)} – {say.fraction(line.done, line.total)}"


def trend_line(chart: LineChart, height: int = 34) -> list[str]:
    """The line over the months with its ends in words; a sentence if there are too few months.

    Args:
        chart: The line.
        height: In millimetres.
    """
    if not chart.drawn:
        return [text_content("A line appears here after the end of two months.")]
    marks = [mark for percent, y in chart.grid for mark in _grid_line(percent, y, height)]
    for left, right in chart.parts:
        start, end = _place(left.x, left.y, height), _place(right.x, right.y, height)
        marks.append(f'#place(line(start: {start}, end: {end}, stroke: 1.6pt + rgb("{GREEN}")))')
    first, last = chart.ends
    marks.append(f"#place(bottom + left, dx: {chart.left}%, {_small(first)})")
    marks.append(f"#place(bottom + right, {_small(last)})")
    drawing = f"block(width: 100%, height: {height}mm)[{''.join(marks)}]"
    words = chart.words.removesuffix(" The table has every number.")
    return [f"#pdf.artifact({drawing})", "", text_content(words), ""]


def _grid_line(percent: int, y: float, height: int) -> list[str]:
    ends = f"start: {_place(0, y, height)}, end: {_place(100, y, height)}"
    line = f'#place(line({ends}, stroke: 0.4pt + rgb("#b1b4b6")))'
    label = f"#place(dy: {y * height / 100 - 3.5:.2f}mm, {_small(f'{percent}%')})"
    return [line, label] if percent else [line]


def _small(words: str) -> str:
    return f"text(size: 8pt, {quote_text(words)})"


def _place(x: float, y: float, height: int) -> str:
    return f"({x:.2f}%, {y * height / 100:.2f}mm)"


MOST_PEOPLE = 1_500  # a job makes larger documents: they take too long, and a server too much memory
MOST_OF_A_JOB = 50_000  # nobody reads more


def refuse_long(report: CompletionReport, most: int | None = None) -> None:
    """Refuse a document of more than ``most`` people, by default ``MOST_OF_A_JOB``."""
    most = MOST_OF_A_JOB if most is None else most
    if report.shown.assigned > most:
        raise RuleError(
            f"This document would list {say.number(report.shown.assigned)} people. It can list at most "
            f"{say.number(most)}. Filter the report first, or download the CSV, which has no limit."
        )


def report_pdf(
    report: CompletionReport,
    *,
    force: str,
    at: datetime,
    rows: Iterable[PersonRow] | None = None,
    part: str = "",
) -> bytes:
    """Typeset the report as PDF/UA-1 on A4 landscape: answer, definition, statuses, people.

    Args:
        report: The report.
        force: Name of the force.
        at: When it is made.
        rows: The rows of ``report.person_rows()`` to list; None: all.
        part: Which part of the people these are, in words, if there are several documents.
    """
    directive = report.directive
    people = _people_table(report, report.person_rows() if rows is None else rows, part)
    units = units_table(report)
    return typeset_pdf(
        "\n".join([*definition_markup(report), *status_table(report), *units, *people]),
        title=sentences.headline(report),
        above=f"{force} · {directive.reference} · {directive.title}",
        foot=f"{directive.reference}. {sentences.both_times(report.position)}.{f' {part}.' if part else ''}",
        author=force,
        at=at,
        across=True,
    )


def definition_markup(report: CompletionReport) -> list[str]:
    """What the percentage is of, as known when, and how it is worked out."""
    definition = sentences.definition_sentences(report.directive, report.group, report.count_exclusions())
    counted = f"{'. '.join(sentences.beside(report))}. {sentences.both_times(report.position)}."
    paragraphs = [counted, *definition, report.directive.source]
    if report.position.forecast:
        paragraphs.insert(0, f"Forecast. {sentences.FORECAST}")
    return [f"{text_content(text)}\n" for text in paragraphs]


def status_table(report: CompletionReport) -> list[str]:
    """How many people have each status; excluded ones are not counted in the percentage."""
    rows = [
        f"[{text_content(status.label + (', not counted' if status.excluded else ''))}], "
        f"table.cell(align: right)[{text_content(say.number(count))}],"
        for status, count in report.shown.by_status.items()
    ]
    head = f"table.header([{text_content('Status')}], [{text_content('People')}]),"
    bar = status_bar(report.shown.bar, sum(count for _, count in report.shown.bar))
    return [f"== {text_content('People by status')}", *bar, "#table(columns: 2,", head, *rows, ")"]


def units_table(report: CompletionReport) -> list[str]:
    """The units of the page, each with its bar; nothing where only one has people."""
    lines = report.units
    if len(lines) < 2:
        return []
    measure = "Listed" if report.lists_some else "Complete"
    return [f"== {text_content('By unit')}", *unit_table(lines, measure)]


def _people_table(report: CompletionReport, rows: Iterable[PersonRow], part: str) -> list[str]:
    """The people who match the filters, with the columns of the page, in the order of the files."""
    requirements = report.directive.requirements
    titles = [requirement.short_title for requirement in requirements]
    heads = ["Person", "Overall", *titles, "Due", "Rank or grade", "Role", "Unit"]
    columns = f"({', '.join(['2fr', *['auto'] * (len(titles) + 2), '1fr', '1fr', '2fr'])})"
    positions = [requirement.position for requirement in requirements]
    labels = {unit.path: unit.label for unit in report.viewer_scope.units.values()}
    table = [_table_row(row, positions, labels) for row in rows]
    filters = "; ".join(report.filters.in_words)
    heading = f"People – {filters}" if filters else "People"
    heading = f"{heading}: {part}" if part else heading
    if not table:
        return [f"== {text_content(heading)}", text_content("Nobody is listed.")]
    return [
        f"== {text_content(heading)}",
        "#set text(size: 8pt)",
        f"#table(columns: {columns}, inset: 3.5pt,",
        f"table.header({', '.join(f'[{text_content(head)}]' for head in heads)}),",
        *table,
        ")",
    ]


def _table_row(row: PersonRow, positions: Sequence[int], labels: Mapping[str, str]) -> str:
    forenames = f", {row.forenames}" if row.forenames else ""
    statuses = [row.status, *(row.requirement_statuses.get(position) for position in positions)]
    texts = [
        f"{row.surname}{forenames} ({row.staff_number})",
        *(status.label if status else "" for status in statuses),
        say.date(row.due_on),
        row.rank_or_grade,
        row.designated_role.capitalize(),
        labels.get(row.unit_path, row.unit),
    ]
    return "".join(f"[{text_content(text)}], " for text in texts)


# A report on one page for a command's meeting: the answer, where it is lowest, and who to ask for what.

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
        return sentences.of_whom(self.report)

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
        listed = f"{sentences.headline(self.report)}. " if self.report.lists_some else ""
        return f"{listed}{'. '.join(sentences.beside(self._group_report))}."

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


# The briefing of a report as one page of tagged PDF, A4 upright.

TREND_HEIGHT = 34  # millimetres


def briefing_pdf(report: CompletionReport, *, force: str, at: datetime) -> bytes:
    """Typeset the briefing as PDF/UA-1 on one page of A4.

    Args:
        report: The report; its filters say of whom the page speaks.
        force: Name of the force.
        at: When it is made.
    """
    briefing, directive = CommandBriefing(report), report.directive
    percentage = f"{briefing.percentage} " if briefing.percentage else ""
    return typeset_pdf(
        "\n".join(_page_markup(briefing)),
        title=f"{briefing.of_whom}: {percentage}{briefing.fraction}",
        above=f"{force} · {directive.reference} · {directive.title}",
        foot=f"{directive.reference}. {briefing.times}",
        author=force,
        at=at,
    )


def _page_markup(briefing: CommandBriefing) -> list[str]:
    return [
        "#set text(size: 11.5pt)",
        "#set table(inset: (x: 5pt, y: 7pt))",
        text_content(f"{briefing.beside} {briefing.times}"),
        "",
        *_forecast(briefing),
        *_large_percentage(briefing),
        *status_bar(briefing.report.group.bar, briefing.report.group.share.total, "14mm"),
        *_units(briefing),
        f"== {text_content('Over 12 months')}",
        *trend_line(briefing.trend, TREND_HEIGHT),
        *_who_to_ask(briefing),
        f"== {text_content('How this is worked out')}",
        *(f"{text_content(sentence)}\n" for sentence in briefing.definition),
    ]


def _large_percentage(briefing: CommandBriefing) -> list[str]:
    """The percentage of the heading again, to be read across a table; those who listen have heard it."""
    if not briefing.percentage:
        return []
    large = f'text(size: 54pt, weight: "bold", {quote_text(briefing.percentage)})'
    return [f"#pdf.artifact(block(above: 5mm, below: 6mm, {large}))", ""]


def _forecast(briefing: CommandBriefing) -> list[str]:
    if not briefing.report.position.forecast:
        return []
    return [text_content(f"Forecast. {FORECAST}"), ""]


def _units(briefing: CommandBriefing) -> list[str]:
    heading = f"== {text_content('Lowest units')}"
    if not briefing.lowest_units:
        return [heading, text_content("Nobody is counted in any unit.")]
    return [heading, *unit_table(briefing.lowest_units)]


def _who_to_ask(briefing: CommandBriefing) -> list[str]:
    managers = [
        f"- {text_content(f'{name}: {say.number(late)} overdue')}" for name, late in briefing.contacts
    ]
    return [
        f"== {text_content('Who to ask for what')}",
        f"{text_content(briefing.late_words)}\n",
        *managers,
        "",
        *(f"{text_content(sentence)}\n" for sentence in briefing.advice),
    ]
