"""The summaries of packs as tagged PDF; the same pack gives the same bytes."""

from collections.abc import Sequence

from portal.domain.reports import answers, sentences
from portal.domain.reports.completion import pdf_drawings
from portal.domain.reports.completion.pdf_export import definition_markup, status_table, units_table
from portal.domain.reports.packs.foi_tables import FoiTables, PackTable
from portal.domain.reports.packs.texts import ROUNDED_NUMBERS, Definitions
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import GroupLine, Share, UnitLine, share_of_group
from portal.platform import wording as say
from portal.platform.documents.markup import text_content
from portal.platform.documents.typesetting import typeset_pdf


def inspection_summary(report: CompletionReport, definitions: Definitions, *, force: str) -> bytes:
    """The summary of an inspection pack: the answer, its definition, and every table of the report's page."""
    markup = [*definition_markup(report), *status_table(report), *units_table(report)]
    if not report.lists_some:
        markup += _group_table("By requirement", "Requirement", _requirement_lines(report))
        markup += _group_table("By rank or grade", "Rank or grade", report.ranks)
        markup += _group_table("By designated role", "Role", report.roles)
    markup += definition_table(definitions)
    return _typeset(report, answers.headline(report), markup, force)


def foi_summary(
    report: CompletionReport, tables: FoiTables, definitions: Definitions, *, force: str
) -> bytes:
    """The summary of an FOI pack: how its numbers are rounded, its tables, and its definitions."""
    rounded = [text for name, text in definitions if name == ROUNDED_NUMBERS]
    markup = [f"{text_content(f'{sentences.both_times(report.position)}.')}\n", "#list("]
    markup += [f"[{text_content(text)}]," for text in rounded]
    markup += [")", *(line for table in tables.tables for line in _pack_table(table))]
    markup += definition_table([line for line in definitions if line[0] != ROUNDED_NUMBERS])
    return _typeset(report, dict(definitions)["Answer"], markup, force)


def _typeset(report: CompletionReport, title: str, markup: Sequence[str], force: str) -> bytes:
    directive, position = report.directive, report.position
    return typeset_pdf(
        "\n".join(markup),
        title=title,
        above=f"{force} · {directive.reference} · {directive.title}",
        foot=f"{directive.reference}. {sentences.both_times(position)}.",
        author=force,
        at=position.as_known_on,
        across=True,
    )


def _requirement_lines(report: CompletionReport) -> list[GroupLine]:
    """How many of the counted people have completed each requirement."""
    counts = report.group.requirements
    lines = []
    for requirement in report.directive.requirements:
        share: Share = share_of_group(counts.get(requirement.position, {}))
        lines.append(GroupLine(requirement.title, share.done, share.total))
    return lines


def _group_table(heading: str, head: str, lines: Sequence[GroupLine | UnitLine]) -> list[str]:
    if not lines:
        return []
    return [f"== {text_content(heading)}", *pdf_drawings.unit_table(lines, head=head)]


def _pack_table(table: PackTable) -> list[str]:
    """The table, with numbers to the right."""
    right = [any(isinstance(row[place], int) for row in table.rows) for place in range(len(table.columns))]
    heads = ", ".join(f"[{text_content(column.label)}]" for column in table.columns)
    rows = [
        "".join(f"{_cell(value, right=side)}, " for value, side in zip(row, right, strict=True))
        for row in table.rows
    ]
    return [
        f"== {text_content(table.title)}",
        f"#table(columns: {len(table.columns)}, table.header({heads}),",
        *rows,
        ")",
    ]


def _cell(value: str | int, *, right: bool) -> str:
    content = f"[{text_content(say.number(value) if isinstance(value, int) else value)}]"
    return f"table.cell(align: right){content}" if right else content


def definition_table(definitions: Definitions) -> list[str]:
    """The definitions under a heading."""
    rows = [f"[{text_content(name)}], [{text_content(text)}]," for name, text in definitions]
    head = f"table.header([{text_content('Term')}], [{text_content('Meaning')}]),"
    return [f"== {text_content('Definitions')}", "#table(columns: (1fr, 3fr),", head, *rows, ")"]
