"""The briefing of a report as one page of tagged PDF, A4 upright."""

from datetime import datetime

from portal.domain.reports.command_briefing import CommandBriefing
from portal.domain.reports.completion import pdf_drawings
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.sentences import FORECAST
from portal.platform import wording as say
from portal.platform.documents.markup import quote_text, text_content
from portal.platform.documents.typesetting import typeset_pdf

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
        *pdf_drawings.status_bar(briefing.report.group.bar, briefing.report.group.share.total, "14mm"),
        *_units(briefing),
        f"== {text_content('Over 12 months')}",
        *pdf_drawings.trend_line(briefing.trend, TREND_HEIGHT),
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
    return [heading, *pdf_drawings.unit_table(briefing.lowest_units)]


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
