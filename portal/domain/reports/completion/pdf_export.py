"""A report on paper: tagged PDF that says first what its figures mean, then lists the people."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from portal.domain.reports import sentences
from portal.domain.reports.completion.export_columns import PersonRow
from portal.domain.reports.queries import CompletionReport
from portal.platform import wording as say
from portal.platform.documents.markup import text_content
from portal.platform.documents.typesetting import typeset_pdf
from portal.platform.errors import RuleError

MOST_PEOPLE = 1_500  # a page does not wait for more, and typesetting more takes a server too much memory
MOST_OF_A_JOB = 50_000  # nobody reads more, and typesetting takes its time


def refuse_long(report: CompletionReport, most: int | None = None) -> None:
    """Refuse a document of more than ``most`` people, by default ``MOST_OF_A_JOB``.

    Raises:
        RuleError: It would have more.
    """
    most = MOST_OF_A_JOB if most is None else most
    if report.shown.assigned > most:
        raise RuleError(
            f"This document would list {say.number(report.shown.assigned)} people, and one is made for at "
            f"most {say.number(most)}. Filter the report first, or download the CSV, which has no limit."
        )


def report_pdf(
    report: CompletionReport,
    *,
    force: str,
    at: datetime,
    rows: Iterable[PersonRow] | None = None,
    part: str = "",
) -> bytes:
    """The report as PDF/UA-1, on A4 across: the answer, its definition, the statuses, the people.

    Args:
        report: What it says.
        force: Whose it is.
        at: When it is made.
        rows: Those of ``report.person_rows()`` to list; None for all.
        part: Which part of the people these are, where the report comes in several documents.
    """
    about = report.subject
    listed = _people(report, report.person_rows() if rows is None else rows, part)
    return typeset_pdf(
        "\n".join([*_definition(report), *_statuses(report), *listed]),
        title=sentences.headline(report.figures, report.position),
        above=f"{force} · {about.reference} · {about.title}",
        foot=f"{about.reference}. {sentences.times(report.position)}.{f' {part}.' if part else ''}",
        author=force,
        at=at,
        across=True,
    )


def _definition(report: CompletionReport) -> list[str]:
    said = sentences.definition(report.subject, report.figures, report.exclusions())
    counted = f"{sentences.not_counted(report.figures)}. {sentences.times(report.position)}."
    group = sentences.of_group(report.filters, report.group)
    paragraphs = [*([f"{group}."] * bool(group)), counted, *said, report.subject.source]
    if report.position.forecast:
        paragraphs.insert(0, "Forecast: the day lies after what was known of it. An outlook, not evidence.")
    return [f"{text_content(text)}\n" for text in paragraphs]


def _statuses(report: CompletionReport) -> list[str]:
    """How many people have each status; the excluded ones are not counted in the percentage."""
    rows = [
        f"[{text_content(status.label + (', not counted' if status.excluded else ''))}], "
        f"table.cell(align: right)[{text_content(say.number(count))}],"
        for status, count in report.figures.by_status.items()
    ]
    head = f"table.header([{text_content('Status')}], [{text_content('People')}]),"
    return [f"== {text_content('People by status')}", "#table(columns: 2,", head, *rows, ")"]


def _people(report: CompletionReport, rows: Iterable[PersonRow], part: str) -> list[str]:
    """Those whom the filters leave, as the page lists them, in the order of the files."""
    asked = [one.short for one in report.subject.asked]
    heads = ["Person", "Overall", *asked, "Due", "Rank or grade", "Role", "Unit"]
    columns = f"({', '.join(['2fr', *['auto'] * (len(asked) + 2), '1fr', '1fr', '2fr'])})"
    positions = [one.position for one in report.subject.asked]
    table = [_table_row(row, positions) for row in rows]
    narrowed = "; ".join(report.filters.said)
    which = f"People – {narrowed}" if narrowed else "People"
    which = f"{which}: {part}" if part else which
    if not table:
        return [f"== {text_content(which)}", text_content("Nobody is listed.")]
    return [
        f"== {text_content(which)}",
        "#set text(size: 8pt)",
        f"#table(columns: {columns}, inset: 3.5pt,",
        f"table.header({', '.join(f'[{text_content(head)}]' for head in heads)}),",
        *table,
        ")",
    ]


def _table_row(row: PersonRow, positions: Sequence[int]) -> str:
    forenames = f", {row.forenames}" if row.forenames else ""
    statuses = [row.status, *(row.requirement_statuses.get(position) for position in positions)]
    texts = [
        f"{row.surname}{forenames} ({row.staff_number})",
        *(status.label if status else "" for status in statuses),
        say.date(row.due_on),
        row.rank_or_grade,
        row.designated_role.capitalize(),
        row.unit,
    ]
    return "".join(f"[{text_content(text)}], " for text in texts)
