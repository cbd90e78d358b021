"""The files of a report: each holds exactly the rows that the page of the same address sums up."""

import tempfile
from collections.abc import Iterator
from typing import IO

from flask import Blueprint, Response, current_app, render_template, request, send_file, stream_with_context
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import sentences
from portal.domain.reports.as_of import FIELDS as POSITION
from portal.domain.reports.as_of import Position, PositionError, position
from portal.domain.reports.completion import export_columns, pdf_export, writers
from portal.domain.reports.filters import NAMES, Filters, filters_of
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.monitoring.export_file_views import TYPES, later
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import newest_stamp, transaction
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.permissions import Permission

# A file of a whole force costs seconds of a processor: no person needs more of them than this.
files_limit = limiter.shared_limit(
    "30 per 5 minutes", scope="completions", key_func=lambda: str(current_user.person_id)
)

CSV_TYPE = "text/csv; charset=utf-8"
_ANY_REQUIREMENT = [
    (1, "module", "…", "…")
]  # stands in the dictionary for the columns that a directive names


def register(bp: Blueprint) -> None:
    """Add the files below ``/monitoring/directives/<reference>``, and the data dictionary."""
    root = "/monitoring/directives/<reference>"
    for name, view in (
        ("completions.csv", completions_csv),
        ("completions.xlsx", completions_xlsx),
        ("completions.json", completions_json),
        ("completions.pdf", completions_pdf),
        ("people.csv", people_csv),
        ("people.xlsx", people_xlsx),
    ):
        bp.add_url_rule(f"{root}/{name}", view.__name__, view)
    bp.add_url_rule("/monitoring/data-dictionary", "data_dictionary", data_dictionary)
    bp.add_url_rule("/monitoring/data-dictionary.csv", "data_dictionary_csv", data_dictionary_csv)


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def completions_csv(reference: str) -> ResponseReturnValue:
    """One row a person and requirement as CSV, streamed as they are read."""
    report = _report(reference)
    _audit(report, "csv")
    lines = writers.csv_pieces(report.rows(), report.columns)
    return _streamed(lines, CSV_TYPE, writers.file_name(report, "csv"))


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def completions_json(reference: str) -> ResponseReturnValue:
    """The definition, the totals and the same rows, typed, as JSON."""
    report = _report(reference)
    _audit(report, "json")
    pieces = writers.json_pieces(report, report.rows(), report.columns)
    return _streamed(pieces, "application/json; charset=utf-8", writers.file_name(report, "json"))


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def completions_xlsx(reference: str) -> ResponseReturnValue:
    """The same rows as a workbook, with the definition and the meaning of each column."""
    report = _report(reference)
    writers.refuse_large_workbook(report.shown.rows)
    if report.shown.rows > writers.XLSX_ROWS:
        return later(report, "completions.xlsx")
    _audit(report, "xlsx")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    writers.write_xlsx(report.rows(), file, report, report.columns)
    file.seek(0)
    return _sent(file, TYPES["xlsx"], writers.file_name(report, "xlsx"))


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def completions_pdf(reference: str) -> ResponseReturnValue:
    """The definition on the first page, and the people with a column a requirement, as tagged PDF."""
    report = _report(reference)
    pdf_export.refuse_long(report)
    if report.shown.assigned > pdf_export.MOST_PEOPLE:
        return later(report, "completions.pdf")
    _audit(report, "pdf")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    file.write(pdf_export.report_pdf(report, force=current_app.config["PORTAL"].force_name, at=clock.now()))
    file.seek(0)
    return _sent(file, TYPES["pdf"], writers.file_name(report, "pdf"))


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def people_csv(reference: str) -> ResponseReturnValue:
    """One row a person and one column a requirement as CSV."""
    report = _report(reference)
    _audit(report, "csv", wide=True)
    lines = writers.csv_pieces(report.person_rows(), report.person_columns)
    return _streamed(lines, CSV_TYPE, writers.file_name(report, "csv", "people"))


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def people_xlsx(reference: str) -> ResponseReturnValue:
    """One row a person and one column a requirement as a workbook."""
    report = _report(reference)
    writers.refuse_large_workbook(report.shown.assigned)
    if report.shown.assigned > writers.XLSX_ROWS:
        return later(report, "people.xlsx")
    _audit(report, "xlsx", wide=True)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    writers.write_xlsx(report.person_rows(), file, report, report.person_columns)
    file.seek(0)
    return _sent(file, TYPES["xlsx"], writers.file_name(report, "xlsx", "people"))


@requires(Permission.COMPLETION_VIEW)
def data_dictionary() -> ResponseReturnValue:
    """What each column of the files means, and which fact it comes from."""
    return render_template(
        "monitoring/dictionary.html",
        long=writers.dictionary(export_columns.COLUMNS),
        wide=writers.dictionary(export_columns.person_columns(_ANY_REQUIREMENT)),
    )


@requires(Permission.COMPLETION_VIEW)
def data_dictionary_csv() -> ResponseReturnValue:
    """The same as a file, to keep beside the files."""
    asked = QueryArguments(request.args)
    asked.only(())
    asked.raise_faults()
    response = Response(writers.dictionary_csv(export_columns.COLUMNS), content_type=CSV_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename="completions-data-dictionary.csv")
    return response


def position_of(as_at: str, as_known_on: str) -> Position:
    """The position that two texts ask for, now.

    Raises:
        PositionError: A text cannot be read, or asks for what is still to come.
    """
    return position(as_at, as_known_on, now=clock.now(), newest=newest_stamp())


def report_of(reference: str, at: Position, filters: Filters) -> CompletionReport:
    """A report as the signed-in person may see it.

    Raises:
        PositionError: The directive was not known at the position, and is now.
        NotFoundError: There is no such directive.
        UnknownValueError: A filter has a value that they cannot know.
    """
    viewer = current_user.viewer
    try:
        return completion_report(viewer, reference, at, filters)
    except NotFoundError as error:
        completion_report(viewer, reference, position_of("", ""))  # not found either: it never was
        said = f"{reference} was not known yet {sentences.knowledge(at).removeprefix('as known ')}."
        raise PositionError("as_known_on", f"{said} Choose a later day.") from error


def readable_report(reference: str, at: Position, asked: QueryArguments) -> CompletionReport:
    """The same for a page: without the filters that are refused, which are noted in ``asked``.

    Raises:
        PositionError: The directive was not known at the position, and is now.
        NotFoundError: There is no such directive.
    """
    filters = filters_of(request.args)
    try:
        return report_of(reference, at, filters)
    except UnknownValueError as error:
        for sentence, name in error.faults:
            asked.refuse(name, sentence)
        return report_of(reference, at, filters.without(*(name for _, name in error.faults)))


def _report(reference: str) -> CompletionReport:
    asked = QueryArguments(request.args)
    asked.only((*POSITION, *NAMES), several=("rank",))
    asked.raise_faults()
    at = position_of(request.args.get("as_at", ""), request.args.get("as_known_on", ""))
    return report_of(reference, at, filters_of(request.args))


def _audit(report: CompletionReport, form: str, *, wide: bool = False) -> None:
    """Record who takes what, before the first row leaves."""
    detail = {**writers.audited(report, form), **({"shape": "wide"} if wide else {})}
    with transaction():
        log("completions.exported", actor_id=current_user.person_id, **detail)


def _streamed(pieces: Iterator[str], kind: str, name: str) -> Response:
    response = Response(stream_with_context(pieces), content_type=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _sent(file: IO[bytes], kind: str, name: str) -> Response:
    response = send_file(file, mimetype=kind, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response
