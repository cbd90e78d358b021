"""A report as tagged PDF: the definition of the percentage, then the people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from portal.domain.reports import answers, sentences
from portal.domain.reports.completion import pdf_drawings
from portal.domain.reports.completion.export_columns import PersonRow
from portal.domain.reports.queries import CompletionReport
from portal.platform import wording as say
from portal.platform.documents.markup import text_content
from portal.platform.documents.typesetting import typeset_pdf
from portal.platform.errors import RuleError

MOST_PEOPLE = 1_500  # a job makes larger documents: they take too long, and a server too much memory
MOST_OF_A_JOB = 50_000  # nobody reads more


def refuse_long(report: CompletionReport, most: int | None = None) -> None:
    """Refuse a document of more than ``most`` people, by default ``MOST_OF_A_JOB``.

    Raises:
        RuleError: It would have more.
    """
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
        title=answers.headline(report),
        above=f"{force} · {directive.reference} · {directive.title}",
        foot=f"{directive.reference}. {sentences.both_times(report.position)}.{f' {part}.' if part else ''}",
        author=force,
        at=at,
        across=True,
    )


def definition_markup(report: CompletionReport) -> list[str]:
    """What the percentage is of, as known when, and how it is worked out."""
    definition = sentences.definition_sentences(report.directive, report.group, report.count_exclusions())
    counted = f"{'. '.join(answers.beside(report))}. {sentences.both_times(report.position)}."
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
    bar = pdf_drawings.status_bar(report.shown.bar, sum(count for _, count in report.shown.bar))
    return [f"== {text_content('People by status')}", *bar, "#table(columns: 2,", head, *rows, ")"]


def units_table(report: CompletionReport) -> list[str]:
    """The units of the page, each with its bar; nothing where only one has people."""
    lines = report.units
    if len(lines) < 2:
        return []
    measure = "Listed" if report.lists_some else "Complete"
    return [f"== {text_content('By unit')}", *pdf_drawings.unit_table(lines, measure)]


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
