"""The files of a report, with exactly the rows that the page of the same address counts."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import IO
from urllib.parse import urlencode
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.reports import (
    completion_files,
    completion_rows,
    export_files,
    packs,
    report_pdf,
    sentences,
)
from portal.domain.reports.export_files import NAMELESS
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.parameters import (
    EVERYONE,
    FIELDS,
    NAMES,
    Filters,
    Position,
    PositionError,
    parse_filters,
)
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.reports.report_pdf import briefing_pdf
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.pdf_files import (
    RETRY_SECONDS,
    TYPES,
    act_on_prepared,
    is_file_too_many,
    offers_job,
    say_gone,
    send_prepared,
    show_prepared,
)
from portal.pages.layout.query_arguments import QueryArguments, address
from portal.pages.layout.report_position import (
    parse_position_now,
    position_form,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.pages.layout.sessions.step_up import MANY_PEOPLE, require_recent_sign_in
from portal.platform import clock
from portal.platform.audit import log_file
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError, UnknownValueError
from portal.platform.permissions import Permission

# The pages of a file that a job makes: progress, download, cancel and try again.

_PARENT = {"text": "Monitoring", "href": "/monitoring"}
CONTENTS = {
    "completions.csv": "CSV, one row for each person and requirement",
    "people.csv": "CSV, one row for each person",
    "completions.json": "JSON, one record for each person and requirement",
    "completions.xlsx": "Spreadsheet, one row for each person and requirement",
    "people.xlsx": "Spreadsheet, one row for each person",
    "completions.pdf": "PDF, one row for each person",
    "briefing.pdf": "PDF, the report on one page",
    "inspection-pack.zip": "Inspection pack, which names people",
    "foi-pack.zip": "FOI pack, which names nobody",
}


def add_file_pages(bp: Blueprint) -> None:
    """Add the pages below ``/monitoring/files/<uuid>``."""
    root = "/monitoring/files/<uuid:uuid>"
    bp.add_url_rule(root, "show_file", show_file)
    bp.add_url_rule(f"{root}/download", "download_file", download_file)
    bp.add_url_rule(f"{root}/<any(cancel, again):what>", "act_on_file", act_on_file, methods=["POST"])


def prepare_file(report: CompletionReport, name: str) -> ResponseReturnValue:
    """Start a job for the file, unless the same file is under way or ready; redirect to its page."""
    export_files.remove_expired_files()
    now, wish = clock.now(), export_files.wish_of(report, name)
    with transaction():  # so that two requests at once start one job
        file_id = export_files.find_same_file(wish, current_user.viewer, now)
        if file_id is None:
            file_id = export_files.request_file(wish, by=current_user.person_id, at=now)
    return redirect(url_for("monitoring.show_file", uuid=file_id), 303)


def offer_file(report: CompletionReport, name: str) -> ResponseReturnValue:
    """Offer to have a job make the file, while too many others are being made and sent."""
    reference = report.directive.reference
    html = render_template(
        "monitoring/offered.html",
        reference=reference,
        contents=CONTENTS[name],
        again=request.full_path.rstrip("?"),
        back=_report_address(reference, report.position.address, report.filters.address),
    )
    return html, 503, {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}


@requires(Permission.COMPLETION_EXPORT)
def show_file(uuid: UUID) -> ResponseReturnValue:
    """The progress of the file; once it is ready, its download."""
    row = _get_own_file(uuid)
    if row is None:
        return say_gone(_PARENT)
    return show_prepared(
        row,
        "monitoring/prepared.html",
        contents=CONTENTS[row.name],
        times=sentences.both_times(parse_position_now(**row.position)),
        filters=parse_filters(row.filters).in_words,
        back=_report_address(row.directive, row.position, row.filters),
    )


@requires(Permission.COMPLETION_EXPORT)
def download_file(uuid: UUID) -> ResponseReturnValue:
    """Download the file: only who requested it may, and only while they may see everyone in it."""
    return send_prepared(_get_own_file(uuid), export_files.record_download, _PARENT)


@requires(Permission.COMPLETION_EXPORT)
def act_on_file(uuid: UUID, what: str) -> ResponseReturnValue:
    """Cancel the job that makes the file, or let it try again."""
    row = _get_own_file(uuid)
    if row is None:
        return say_gone(_PARENT)
    act_on_prepared(row.job_id, what)
    return redirect(url_for("monitoring.show_file", uuid=uuid), 303)


def _get_own_file(file_id: UUID) -> PreparedFile | None:
    """The file of this address; None if it has expired, never was, or is another person's."""
    export_files.remove_expired_files()
    row = export_files.get_own_file(file_id, current_user.person_id, clock.now())
    return row if row is not None and row.name in CONTENTS else None  # others have pages of their own


def _report_address(reference: str, position: Mapping[str, str], filters: Mapping[str, str]) -> str:
    return f"/monitoring/directives/{reference}?{urlencode({**position, **filters})}"


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
    pieces = completion_files.csv_pieces(report.rows(), report.columns, with_bom=_wants_bom())
    return _stream_file(pieces, TYPES["csv"], completion_files.file_name(report, "csv"))


def _send_completions_xlsx(report: CompletionReport) -> Response:
    """The same rows as a workbook, with the definition and the meaning of each column."""
    _log_export(report, "xlsx")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    completion_files.write_xlsx(report.rows(), file, report, report.columns)
    return _send_temporary_file(file, TYPES["xlsx"], completion_files.file_name(report, "xlsx"))


def _send_completions_json(report: CompletionReport) -> Response:
    """The definition, the totals and the same rows as JSON, with types."""
    _log_export(report, "json")
    pieces = completion_files.json_pieces(report, report.rows(), report.columns)
    return _stream_file(pieces, TYPES["json"], completion_files.file_name(report, "json"))


def _send_completions_pdf(report: CompletionReport) -> Response:
    """The definition, then one row for each person, as tagged PDF."""
    _log_export(report, "pdf")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    file.write(report_pdf.report_pdf(report, force=current_app.config["PORTAL"].force_name, at=clock.now()))
    return _send_temporary_file(file, TYPES["pdf"], completion_files.file_name(report, "pdf"))


def _send_briefing_pdf(report: CompletionReport) -> Response:
    """The report on one page, as tagged PDF; it has nobody's row."""
    with transaction():
        detail = {**completion_files.audit_detail(report, "pdf"), "shape": "briefing", "rows": 0}
        log_file("completions.exported", (), actor_id=current_user.person_id, **detail)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    file.write(briefing_pdf(report, force=current_app.config["PORTAL"].force_name, at=clock.now()))
    return _send_temporary_file(file, TYPES["pdf"], completion_files.file_name(report, "pdf", "briefing"))


def _send_people_csv(report: CompletionReport) -> Response:
    """One row for each person, with a column for each requirement, as CSV."""
    _log_export(report, "csv", wide=True)
    pieces = completion_files.csv_pieces(report.person_rows(), report.person_columns, with_bom=_wants_bom())
    return _stream_file(pieces, TYPES["csv"], completion_files.file_name(report, "csv", "people"))


def _send_people_xlsx(report: CompletionReport) -> Response:
    """One row for each person, with a column for each requirement, as a workbook."""
    _log_export(report, "xlsx", wide=True)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    completion_files.write_xlsx(report.person_rows(), file, report, report.person_columns)
    return _send_temporary_file(file, TYPES["xlsx"], completion_files.file_name(report, "xlsx", "people"))


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
    response = jsonify(completion_files.table_schema(columns))
    response.headers.set("Content-Disposition", "attachment", filename=f"{kind}.schema.json")
    return response


@requires(Permission.COMPLETION_VIEW)
def data_dictionary() -> ResponseReturnValue:
    """What each column of the files means, and which fact it comes from."""
    return render_template(
        "monitoring/dictionary.html",
        requirement_columns=completion_files.dictionary_lines(completion_rows.COLUMNS),
        person_columns=completion_files.dictionary_lines(completion_rows.person_columns(_ANY_REQUIREMENT)),
    )


@requires(Permission.COMPLETION_VIEW)
def data_dictionary_csv() -> ResponseReturnValue:
    """The data dictionary as CSV, to keep beside the files."""
    arguments = QueryArguments(request.args)
    arguments.only(())
    arguments.raise_faults()
    response = Response(completion_files.dictionary_csv(completion_rows.COLUMNS), content_type=TYPES["csv"])
    response.headers.set("Content-Disposition", "attachment", filename="completions-data-dictionary.csv")
    return response


def _completion_report(reference: str, position: Position, filters: Filters) -> CompletionReport:
    """The report on a directive for the signed-in person.

    Raises:
        PositionError: The directive was not known at the position, but is known now.
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
    detail = {**completion_files.audit_detail(report, form), **({"shape": "wide"} if wide else {})}
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


# The page from which packs for an inspector or an FOI request are made; ``export_views`` makes them.


def add_pack_page(bp: Blueprint) -> None:
    """Add the page ``/monitoring/directives/<reference>/packs``."""
    bp.add_url_rule("/monitoring/directives/<reference>/packs", "show_packs", show_packs)


@requires(Permission.COMPLETION_EXPORT)
def show_packs(reference: str) -> ResponseReturnValue:
    """What is in each pack of the report with this position and these filters, and a button for each."""
    return answer_with_report(reference, _write_page)


def _write_page(report: CompletionReport) -> str:
    position, filters = report.position, report.filters.address
    report_path = url_for("monitoring.show_report", reference=report.directive.reference)
    return render_template(
        "monitoring/packs.html",
        directive=report.directive,
        people=report.shown.assigned,
        times=sentences.both_times(position),
        filters=report.filters.in_words,
        form=position_form(position),
        kept_by_form=filters,
        small=current_app.config["PORTAL"].small_number,
        refusals={name: _say_refusal(report, name) for name in packs.NAMES},
        inspection=address(f"{report_path}/{packs.INSPECTION}", {**position.pinned, **filters}.items()),
        foi=address(f"{report_path}/{packs.FOI}", position.pinned.items()),
        back=address(report_path, {**position.address, **filters}.items()),
    )


def _say_refusal(report: CompletionReport, name: str) -> str:
    """Why this pack cannot be made; empty if it can. An FOI pack leaves the filters of the page out."""
    try:
        packs.refuse_pack(
            replace(report, filters=EVERYONE) if name == packs.FOI else report,
            name,
            current_app.config["PORTAL"].small_number,
        )
    except (PositionError, RuleError) as error:
        return str(error)
    return ""
