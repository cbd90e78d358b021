"""The files of a report, with exactly the rows that the page of the same address counts."""

import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    render_template,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import sentences
from portal.domain.reports.completion import export_columns, export_files, pdf_export, writers
from portal.domain.reports.completion.briefing_pdf import briefing_pdf
from portal.domain.reports.completion.tasks import NAMELESS
from portal.domain.reports.packs import kinds as packs
from portal.domain.reports.parameters import FIELDS, NAMES, Filters, Position, PositionError, parse_filters
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.busy_files import is_file_too_many, offers_job
from portal.pages.layout.prepared_files import TYPES
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import (
    parse_position_now,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.pages.layout.sessions.step_up import MANY_PEOPLE, require_recent_sign_in
from portal.pages.monitoring.export_file_views import offer_file, prepare_file
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.permissions import Permission

# A file of a whole force takes seconds of a processor: nobody needs more of them than this.
files_limit = limiter.shared_limit("30 per 5 minutes", scope="completions")

_ANY_REQUIREMENT = [(1, "module", "…", "…")]  # the data dictionary's example of a requirement's column


def add_export_pages(bp: Blueprint) -> None:
    """Add the files below ``/monitoring/directives/<reference>``, and the data dictionary."""
    root = "/monitoring/directives/<reference>"
    for name in _MAKERS:
        bp.add_url_rule(f"{root}/{name}", name.replace(".", "_"), send_report)
        bp.add_url_rule(f"{root}/{name}", "request_file", request_file, methods=["POST"])
    for name in packs.NAMES:
        bp.add_url_rule(f"{root}/{name}", name.replace("-", "_").replace(".", "_"), send_report)
        bp.add_url_rule(f"{root}/{name}", "request_file", request_file, methods=["POST"])
    for name in ("completions", "people"):
        bp.add_url_rule(f"{root}/{name}.schema.json", f"{name}_schema_json", send_schema)
    bp.add_url_rule("/monitoring/data-dictionary", "data_dictionary", data_dictionary)
    bp.add_url_rule("/monitoring/data-dictionary.csv", "data_dictionary_csv", data_dictionary_csv)


@offers_job
@requires(Permission.COMPLETION_EXPORT)
@files_limit
def send_report(reference: str) -> ResponseReturnValue:
    """Send a file of the report; a large one is made by a job, and any where too many others are made."""
    report, name = _requested_report(reference), _requested_name()
    export_files.refuse_too_large(report, name)
    if export_files.needs_job(report, name):
        return prepare_file(report, name)
    return offer_file(report, name) if is_file_too_many() else _MAKERS[name](report)


@requires(Permission.COMPLETION_EXPORT)
@files_limit
def request_file(reference: str) -> ResponseReturnValue:
    """Have a job make a file, however small it is."""
    report, name = _requested_report(reference), _requested_name()
    export_files.refuse_too_large(report, name)
    return prepare_file(report, name)


def _send_completions_csv(report: CompletionReport) -> Response:
    """One row for each person and requirement as CSV, streamed while it is read."""
    _log_export(report, "csv")
    pieces = writers.csv_pieces(report.rows(), report.columns, with_bom=_wants_bom())
    return _stream_file(pieces, TYPES["csv"], writers.file_name(report, "csv"))


def _send_completions_xlsx(report: CompletionReport) -> Response:
    """The same rows as a workbook, with the definition and the meaning of each column."""
    _log_export(report, "xlsx")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    writers.write_xlsx(report.rows(), file, report, report.columns)
    return _send_temporary_file(file, TYPES["xlsx"], writers.file_name(report, "xlsx"))


def _send_completions_json(report: CompletionReport) -> Response:
    """The definition, the totals and the same rows as JSON, with types."""
    _log_export(report, "json")
    pieces = writers.json_pieces(report, report.rows(), report.columns)
    return _stream_file(pieces, TYPES["json"], writers.file_name(report, "json"))


def _send_completions_pdf(report: CompletionReport) -> Response:
    """The definition, then one row for each person, as tagged PDF."""
    _log_export(report, "pdf")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    file.write(pdf_export.report_pdf(report, force=current_app.config["PORTAL"].force_name, at=clock.now()))
    return _send_temporary_file(file, TYPES["pdf"], writers.file_name(report, "pdf"))


def _send_briefing_pdf(report: CompletionReport) -> Response:
    """The report on one page, as tagged PDF; it has nobody's row."""
    with transaction():
        detail = {**writers.audit_detail(report, "pdf"), "shape": "briefing", "rows": 0}
        log_file("completions.exported", (), actor_id=current_user.person_id, **detail)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    file.write(briefing_pdf(report, force=current_app.config["PORTAL"].force_name, at=clock.now()))
    return _send_temporary_file(file, TYPES["pdf"], writers.file_name(report, "pdf", "briefing"))


def _send_people_csv(report: CompletionReport) -> Response:
    """One row for each person, with a column for each requirement, as CSV."""
    _log_export(report, "csv", wide=True)
    pieces = writers.csv_pieces(report.person_rows(), report.person_columns, with_bom=_wants_bom())
    return _stream_file(pieces, TYPES["csv"], writers.file_name(report, "csv", "people"))


def _send_people_xlsx(report: CompletionReport) -> Response:
    """One row for each person, with a column for each requirement, as a workbook."""
    _log_export(report, "xlsx", wide=True)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    writers.write_xlsx(report.person_rows(), file, report, report.person_columns)
    return _send_temporary_file(file, TYPES["xlsx"], writers.file_name(report, "xlsx", "people"))


_MAKERS = {  # by the last part of the address
    "completions.csv": _send_completions_csv,
    "completions.xlsx": _send_completions_xlsx,
    "completions.json": _send_completions_json,
    "completions.pdf": _send_completions_pdf,
    "briefing.pdf": _send_briefing_pdf,
    "people.csv": _send_people_csv,
    "people.xlsx": _send_people_xlsx,
}


@requires(Permission.COMPLETION_VIEW)
def send_schema(reference: str) -> ResponseReturnValue:
    """Send the Frictionless Table Schema of the CSV file beside it, at the same position."""
    report = _read_requested_report(reference)
    kind = _requested_name().partition(".")[0]
    columns = report.columns if kind == "completions" else report.person_columns
    response = jsonify(writers.table_schema(columns))
    response.headers.set("Content-Disposition", "attachment", filename=f"{kind}.schema.json")
    return response


@requires(Permission.COMPLETION_VIEW)
def data_dictionary() -> ResponseReturnValue:
    """What each column of the files means, and which fact it comes from."""
    return render_template(
        "monitoring/dictionary.html",
        requirement_columns=writers.dictionary_lines(export_columns.COLUMNS),
        person_columns=writers.dictionary_lines(export_columns.person_columns(_ANY_REQUIREMENT)),
    )


@requires(Permission.COMPLETION_VIEW)
def data_dictionary_csv() -> ResponseReturnValue:
    """The data dictionary as CSV, to keep beside the files."""
    arguments = QueryArguments(request.args)
    arguments.only(())
    arguments.raise_faults()
    response = Response(writers.dictionary_csv(export_columns.COLUMNS), content_type=TYPES["csv"])
    response.headers.set("Content-Disposition", "attachment", filename="completions-data-dictionary.csv")
    return response


def _completion_report(reference: str, position: Position, filters: Filters) -> CompletionReport:
    """The report on a directive for the signed-in person.

    Raises:
        PositionError: The directive was not known at the position, but is known now.
        NotFoundError: There is no such directive.
        UnknownValueError: A filter has a value that they cannot know.
    """
    viewer = current_user.viewer
    try:
        return completion_report(viewer, reference, position, filters)
    except NotFoundError as error:
        completion_report(viewer, reference, parse_position_now("", ""))  # NotFoundError if there is none
        time = sentences.known_on_words(position).removeprefix("as known ")
        reason = f"{reference} was not in the portal yet {time}. Enter a later date."
        raise PositionError("as_known_on", reason) from error


def answer_with_report(
    reference: str, write_page: Callable[[CompletionReport], ResponseReturnValue]
) -> ResponseReturnValue:
    """Answer with a page of the report that the address names, whose every part must be right.

    Args:
        reference: Of the directive.
        write_page: Writes the page.
    """
    arguments = QueryArguments(request.args)
    arguments.only((*FIELDS, *NAMES), several=("rank",))
    arguments.raise_faults()
    try:
        report = read_report(reference, requested_position(), arguments)
    except PositionError as error:
        report_path = url_for("monitoring.show_report", reference=reference)
        return refuse_position(error, {"text": reference, "href": report_path})
    arguments.raise_faults()
    return redirect_to_iso_days(report.filters.unit) or write_page(report)


def read_report(reference: str, position: Position, arguments: QueryArguments) -> CompletionReport:
    """Read the report of a page, without refused filters, which are noted in ``arguments``.

    Raises:
        PositionError: The directive was not known at the position, but is known now.
        NotFoundError: There is no such directive.
    """
    filters = parse_filters(request.args)
    try:
        return _completion_report(reference, position, filters)
    except UnknownValueError as error:
        for sentence, name in error.faults:
            arguments.refuse(name, sentence)
        return _completion_report(reference, position, filters.without(*(name for _, name in error.faults)))


def _read_requested_report(reference: str) -> CompletionReport:
    arguments = QueryArguments(request.args)
    bom = ("bom",) if _requested_name().endswith(".csv") else ()
    arguments.only((*FIELDS, *NAMES, *bom), several=("rank",))
    arguments.choice("bom", ["yes"])
    arguments.raise_faults()
    position = parse_position_now(request.args.get("as_at", ""), request.args.get("as_known_on", ""))
    return _completion_report(reference, position, parse_filters(request.args))


def _requested_report(reference: str) -> CompletionReport:
    report = _read_requested_report(reference)
    if report.shown.assigned > MANY_PEOPLE and _requested_name() not in NAMELESS:
        require_recent_sign_in()
    return report


def _wants_bom() -> bool:
    """Whether a CSV is to begin with a byte order mark, for Excel."""
    return request.args.get("bom") == "yes"


def _requested_name() -> str:
    """The last part of the address, such as "completions.csv"."""
    return request.path.rpartition("/")[2]


def _log_export(report: CompletionReport, form: str, *, wide: bool = False) -> None:
    """Record the export in the audit trail, before the first row is sent."""
    detail = {**writers.audit_detail(report, form), **({"shape": "wide"} if wide else {})}
    people = report.list_person_ids()
    with transaction():
        log_file("completions.exported", people, actor_id=current_user.person_id, **detail)


def _stream_file(pieces: Iterator[str], kind: str, name: str) -> Response:
    response = Response(stream_with_context(pieces), content_type=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _send_temporary_file(file: IO[bytes], kind: str, name: str) -> Response:
    file.seek(0)
    response = send_file(file, mimetype=kind, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response
