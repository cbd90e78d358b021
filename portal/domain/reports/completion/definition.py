"""The definition of a report's percentage, as its files carry it: of whom, of what day, as known when."""

from typing import Any

from portal.domain.reports import answers, sentences
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.statistics import Figures
from portal.platform.wording import number, plural

NOBODY = "Nobody you can see matches these filters."
FORECAST = ("Forecast", sentences.FORECAST)


def definition_of(report: CompletionReport) -> dict[str, Any]:
    """The definition of the percentage: its parts, exclusions by reason, filters and both times.

    The figures are of the people who match the filters on unit, role and rank; ``everyone`` has those of all
    people the viewer may see, ``listed`` is the number of people with rows.
    """
    figures, directive = report.group, report.directive
    return {
        "directive": directive.reference,
        "title": directive.title,
        "versions": [
            {"number": number, "effective_on": day.isoformat()} for number, day in directive.known_versions
        ],
        "version": directive.version_number,
        **_share_values(figures),
        "exclusions": report.count_exclusions(),
        "filters": report.filters.in_words,
        "listed": report.shown.assigned,
        "everyone": _share_values(report.figures),
        "forecast": report.position.forecast,
        **report.position.pinned,
    }


def _share_values(figures: Figures) -> dict[str, Any]:
    share = figures.share
    return {
        "numerator": share.done,
        "denominator": share.total,
        "percentage": share.done * 100 // share.total if share.total else None,
        "assigned": figures.assigned,
    }


def totals_by_status(report: CompletionReport) -> dict[str, int]:
    """The people with rows by status; statuses that nobody has are 0."""
    return {status.key: count for status, count in report.shown.by_status.items()}


def definition_lines(report: CompletionReport) -> list[tuple[str, str]]:
    """The definition of the percentage for a sheet, as pairs of a name and a text."""
    directive = report.directive
    definition = sentences.definition_sentences(directive, report.group, report.count_exclusions())
    times, counted, *whole = report.position.pinned, *answers.beside(report)
    return [
        ("Directive", f"{directive.reference}: {directive.title}"),
        ("Recommendation", directive.source),
        ("Answer", answers.headline(report)),
        ("Counted", counted),
        *(("For comparison", sentence) for sentence in whole),
        *(("How this is worked out", sentence) for sentence in definition),
        *((status.label, number(count)) for status, count in report.shown.by_status.items()),
        ("As at", times["as_at"]),
        ("As known on", times["as_known_on"]),
        *([FORECAST] * report.position.forecast),
        ("Filtered by", "; ".join(report.filters.in_words) or "nothing"),
        ("Listed", plural(report.shown.assigned, "person", "people") if report.shown.assigned else NOBODY),
    ]
