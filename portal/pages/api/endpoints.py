"""The operations on files of a directive's report: those that people download, with the token's people."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from flask import abort, request

from portal.domain.directives.services import COLUMNS, OPTIONAL, record_exclusions
from portal.domain.imports import queries, services
from portal.domain.imports.columns import open_for_profile
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Upload
from portal.domain.people.queries import live_units
from portal.domain.records.services import normalise_reference
from portal.domain.reports import completion_files, completion_rows
from portal.domain.reports.completion_rows import AnyRow, Column
from portal.domain.reports.feeds import (
    get_feed_directive,
    get_feed_person,
    get_feed_record,
    list_feed_directives,
    list_feed_people,
    list_feed_records,
)
from portal.domain.reports.parameters import NAMES, parse_filters
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.status.queries import AudienceKey
from portal.pages.api.operations import (
    ROOT,
    WRITERS,
    Call,
    Field,
    FileReply,
    ObjectShape,
    Operation,
    Parameter,
    Reply,
)
from portal.pages.layout.bearer import log_token_act
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ForbiddenError, NotFoundError
from portal.platform.jobs.models import JobState
from portal.platform.jobs.services import find_state
from portal.platform.tables.table_files import MOST_BYTES, parse_table

# The operations that read: the token, people, directives with their status and completions, and records.

TOKEN = ObjectShape(
    "Token",
    (
        Field("name", "The token's name."),
        Field("scope", "What it may do: read or write."),
        Field("unit_path", "The unit whose people it reaches; null: the whole force.", optional=True),
        Field("directive", "The one directive it reaches; null: every directive.", optional=True),
    ),
)
POST = ObjectShape(
    "Post",
    (
        Field("post_key", "Key of the post; empty for the main post."),
        Field("rank_or_grade", "Rank or grade."),
        Field("designated_role", "Designated role."),
        Field("unit", "Name of the unit on the as_at day."),
        Field("unit_path", "Names from the force down to the unit. A / within a name is written //."),
        Field(
            "line_manager_staff_number",
            "Staff number of the line manager, if this token may see them.",
            optional=True,
        ),
        Field("valid_from", "First day of the post.", date),
        Field("valid_to", "Last day of the post; null: none is known.", date, optional=True),
    ),
)
PERSON = ObjectShape(
    "Person",
    (
        Field("staff_number", "Staff number, as it is now."),
        Field("surname", "Surname, as it is now."),
        Field("forenames", "Forenames, as they are now."),
        Field("posts", "Posts on the as_at day, the main post first; none for who has left.", items=POST),
    ),
)
REQUIREMENT = ObjectShape(
    "Requirement",
    (
        Field("requirement_kind", "Kind of the requirement: module, event or guide."),
        Field("requirement", "Key of the module, event type or guide."),
    ),
)
DIRECTIVE = ObjectShape(
    "Directive",
    (
        Field("reference", "Reference of the directive."),
        Field("title", "Title."),
        Field("source", "Where it comes from, such as a force order."),
        Field("version", "Number of the version of the as_at day; before its first day, of the first.", int),
        Field("effective_on", "First day of that version.", date),
        Field("withdrawn", "Whether that version withdraws the directive.", bool),
        Field("due_fixed_on", "Due date for everyone, if it is fixed.", date, optional=True),
        Field("due_days_after_joining", "Days from joining to the due date.", int, optional=True),
        Field("validity_months", "Months for which a completion counts.", int, optional=True),
        Field("yearly_on", "Day of each year, MM-DD, on which it is due again.", optional=True),
        Field("expiring_days", "Days before its end on which a completion counts as expiring.", int),
        Field("target", "Share, from 0 to 1, that the force aims at.", Decimal),
        Field("requirements", "What it asks for, in order.", items=REQUIREMENT),
    ),
)
STATUS = ObjectShape(
    "DirectiveStatus",
    (
        Field("directive", "Reference of the directive."),
        Field("title", "Title on the as_at day."),
        Field("version", "Number of the version of the as_at day.", int),
        Field("numerator", "People who have completed it.", int),
        Field("denominator", "People it applies to, without the exempt and deferred.", int),
        Field(
            "percentage",
            "Numerator of denominator, rounded down to a whole number; null for nobody.",
            int,
            optional=True,
        ),
        Field("assigned", "People it applies to, with the exempt and deferred.", int),
        Field("exclusions", "People exempt or deferred, by reason.", dict),
        Field("by_status", "People by status.", dict),
        Field("forecast", "Whether as_at is later than as_known_on: an outlook, not evidence.", bool),
    ),
)
RECORD = ObjectShape(
    "Record",
    (
        Field("reference", "Reference of the record; a correction keeps it."),
        Field("staff_number", "Staff number of the person, as it is now."),
        Field("requirement_kind", "Kind of the requirement: module, event or guide."),
        Field("requirement", "Key of the module, event type or guide."),
        Field(
            "achieved_at",
            "When it was achieved; only the day, where no time of day was given.",
            completion_rows.DayOrInstant,
            source="achieved_when",
        ),
        Field("achieved_on", "The day of it, UK time.", date),
        Field("source", "How: assessed, attended, acknowledged, waived, imported or external."),
        Field("source_system", "The system that an imported record comes from.", optional=True),
        Field("version", "Number of the version passed or acknowledged.", int, optional=True),
        Field("score_scaled", "Score from 0 to 1.", Decimal, optional=True),
        Field("mastery_score", "Pass mark, from 0 to 1, of the version passed.", Decimal, optional=True),
        Field("revoked_from", "First day on which it no longer counts.", date, optional=True),
        Field("recorded_at", "Its stamp: the as_known_on from which it is known.", datetime),
    ),
)
COMPLETION = ObjectShape.of_columns("Completion", completion_rows.COLUMNS)
FILTERS = {
    "q": "Part of a name, or of a staff number.",
    "unit": "Path of a unit: the people in and under it.",
    "role": "Designated role.",
    "rank": "Rank or grade; several with commas between them.",
    "status": "Status under the whole directive, not_complete, or late.",
    "late": "How many days overdue: 1-30, 31-90 or over-90.",
    "due": "30: due in the next 30 days.",
}


def describe_token(call: Call) -> Reply:
    """The token of the request."""
    token = call.token
    unit = None if token.unit_id is None else live_units(clock.today()).get(token.unit_id)
    path = None if token.unit_id is None else unit.path if unit else ""
    return Reply(
        {
            "name": token.name,
            "scope": str(token.scope),
            "unit_path": path,
            "directive": token.directive_reference,
        }
    )


def list_people(call: Call) -> Reply:
    """The people whom the token may see, by staff number."""
    after = call.after[0] if call.after else ""
    people = list_feed_people(call.viewer, call.position, after, call.limit + 1)
    return _page(call, people, "staff_number")


def show_person(call: Call) -> Reply:
    """One person."""
    person = get_feed_person(call.viewer, call.position, call.path["staff_number"])
    return Reply(person, subject_id=person.person_id)


def list_directives(call: Call) -> Reply:
    """The directives by reference."""
    after, only = call.after[0] if call.after else "", call.token.directive_reference
    directives = list_feed_directives(call.position, after, call.limit + 1, only)
    return _page(call, directives, "reference")


def show_directive(call: Call) -> Reply:
    """One directive."""
    return Reply(get_feed_directive(call.position, call.path["reference"]))


def show_status(call: Call) -> Reply:
    """The percentage of a directive, with what it is made of."""
    report = completion_report(call.viewer, call.path["reference"], call.position)
    return Reply(
        {**completion_files.definition_of(report), "by_status": completion_files.totals_by_status(report)}
    )


def list_completions(call: Call) -> Reply:
    """The rows of the completion file."""
    filters = parse_filters({name: call.arguments.get(name, "") for name in NAMES})
    report = completion_report(call.viewer, call.path["reference"], call.position, filters)
    after = AudienceKey(*call.after) if call.after else None
    rows, key = report.list_rows(after, call.limit)
    return Reply(rows, None if key is None else list(key))


def list_records(call: Call) -> Reply:
    """The records of the people whom the token may see, in the order recorded."""
    after = call.after[0] if call.after else ""
    return _page(call, list_feed_records(call.viewer, call.position, after, call.limit + 1), "reference")


def show_record(call: Call) -> Reply:
    """One record."""
    reference = normalise_reference(call.path["reference"]) or ""
    return Reply(get_feed_record(call.viewer, call.position, reference))


def _page(call: Call, things: list[Any], key: str) -> Reply:
    """A page of things of which one more was read than the page has."""
    shown = things[: call.limit]
    return Reply(shown, [getattr(shown[-1], key)] if len(things) > call.limit else None)


READ_OPERATIONS = (
    Operation(
        "describe_token",
        "",
        "What this token may do",
        TOKEN,
        describe_token,
        at_position=False,
        of_people=False,
    ),
    Operation("list_people", "/people", "People, by staff number", PERSON, list_people, paged=True),
    Operation("show_person", "/people/<staff_number>", "One person", PERSON, show_person),
    Operation(
        "list_directives",
        "/directives",
        "Directives, by reference",
        DIRECTIVE,
        list_directives,
        paged=True,
        of_people=False,
    ),
    Operation(
        "show_directive",
        "/directives/<reference>",
        "One directive",
        DIRECTIVE,
        show_directive,
        of_people=False,
    ),
    Operation(
        "show_status",
        "/directives/<reference>/status",
        "The percentage of a directive, with numerator, denominator and exclusions",
        STATUS,
        show_status,
        of_people=False,
    ),
    Operation(
        "list_completions",
        "/directives/<reference>/completions",
        "The rows of the completion file: one for each person and requirement",
        COMPLETION,
        list_completions,
        parameters=tuple(Parameter(name, FILTERS[name]) for name in NAMES),
        paged=True,
        of_people=False,
    ),
    Operation("list_records", "/records", "Records, in the order recorded", RECORD, list_records, paged=True),
    Operation("show_record", "/records/<reference>", "One record", RECORD, show_record),
)

FILE = ObjectShape(
    "File",
    (
        Field("name", "The last part of its address."),
        Field("contents", "What a row is."),
        Field("media_type", "Its media type."),
        Field("rows", "How many rows it has, without the header.", int),
        Field("address", "Where it is, at this position."),
        Field("table_schema", "Its columns, as a Frictionless Table Schema.", object),
    ),
)
CSV_TYPE = "text/csv"


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A kind of file that a report has."""

    contents: str
    count_rows: Callable[[CompletionReport], int]
    columns: Callable[[CompletionReport], Sequence[Column]]
    rows: Callable[[CompletionReport], Iterator[AnyRow]]


FILES = {
    "completions.csv": ReportFile(
        "One row for each person and requirement.",
        lambda report: report.shown.rows,
        lambda report: report.columns,
        lambda report: report.rows(),
    ),
    "people.csv": ReportFile(
        "One row for each person, with a column for each requirement.",
        lambda report: report.shown.assigned,
        lambda report: report.person_columns,
        lambda report: report.person_rows(),
    ),
}


def list_files(call: Call) -> Reply:
    """The files of a directive's report."""
    report, after = _read_report(call), call.after[0] if call.after else ""
    names = sorted(name for name in FILES if name > after)
    shown = [_describe_file(call, report, name) for name in names[: call.limit]]
    return Reply(shown, [shown[-1]["name"]] if len(names) > call.limit else None)


def read_file(call: Call) -> FileReply:
    """One of them."""
    name = call.path["name"]
    if name not in FILES:
        raise NotFoundError(f"The files of a directive are {' and '.join(FILES)}.")
    report, file = _read_report(call), FILES[name]
    return FileReply(
        pieces=completion_files.csv_pieces(
            file.rows(report), file.columns(report), with_bom=call.arguments.get("bom") == "yes"
        ),
        name=completion_files.file_name(report, "csv", name.partition(".")[0]),
        people=report.list_person_ids(),
        rows=file.count_rows(report),
    )


def _read_report(call: Call) -> CompletionReport:
    filters = parse_filters({name: call.arguments.get(name, "") for name in NAMES})
    return completion_report(call.viewer, call.path["reference"], call.position, filters)


def _describe_file(call: Call, report: CompletionReport, name: str) -> dict[str, Any]:
    path = f"{ROOT}/directives/{quote(report.directive.reference, safe='')}/files/{name}"
    arguments = {key: call.arguments[key] for key in NAMES if key in call.arguments} | call.position.pinned
    return {
        "name": name,
        "contents": FILES[name].contents,
        "media_type": CSV_TYPE,
        "rows": FILES[name].count_rows(report),
        "address": f"{cookies.current_settings().address}{path}?{urlencode(arguments)}",
        "table_schema": completion_files.table_schema(FILES[name].columns(report)),
    }


_FILTERS = tuple(Parameter(name, FILTERS[name]) for name in NAMES)
_FOR_EXCEL = Parameter(
    "bom",
    "With “yes” the file begins with a byte order mark, without which Excel misreads letters with accents.",
    {"type": "string", "enum": ["yes"]},
)
FILE_OPERATIONS = (
    Operation(
        "list_files",
        "/directives/<reference>/files",
        "The files of a directive’s report",
        FILE,
        list_files,
        parameters=_FILTERS,
        paged=True,
        of_people=False,
    ),
    Operation(
        "read_file",
        "/directives/<reference>/files/<name>",
        "One file, with the columns of the portal’s own",
        FILE,
        read_file,
        parameters=(*_FILTERS, _FOR_EXCEL),
        of_people=False,
        file_type=CSV_TYPE,
    ),
)


# The operations that write: files of records, roster and exemptions, read as the commands read them.

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = (CSV_TYPE, XLSX_TYPE)
MOST_EXCLUSIONS = 2_000  # rows of one request
JOB_STATES = {JobState.WAITING: "waiting", JobState.RUNNING: "running", JobState.FAILED: "failed"}

DRY_RUN = Parameter(
    "dry_run", "true: check every row, and change nothing.", {"type": "string", "enum": ["true", "false"]}
)
NEW_VALUES = Parameter(
    "new_values",
    "accept: take new ranks and roles though they look mistyped. Else such a file is refused.",
    {"type": "string", "enum": ["accept"]},
)
PROFILE = Parameter("profile", "How the columns are matched: default, or a profile saved in the portal.")

FAULT = ObjectShape(
    "Fault",
    (Field("line", "Line of the file; 0: the file as a whole.", int), Field("reason", "What is wrong.")),
)
IMPORT = ObjectShape(
    "Import",
    (
        Field("id", "Its id, by which to ask for it; null where nothing is kept.", optional=True),
        Field(
            "state",
            "checked (a dry run), unchanged (the portal has it already), applied, waiting or running (ask "
            "again), refused (bad rows, nothing was written), failed, cancelled or lapsed.",
        ),
        Field("rows", "Rows of the file.", int),
        Field("numbers", "What is written, by name.", dict),
        Field("faults", "Bad rows, of a refused import.", items=FAULT),
        Field(
            "notices",
            "What to look at, though no row is bad: new ranks and roles, and who will have nothing to "
            "complete. Line 0: the file as a whole.",
            items=FAULT,
        ),
    ),
)
EXCLUSIONS = ObjectShape(
    "Exclusions",
    (
        Field("state", "checked (a dry run), unchanged or applied."),
        Field("added", "New exemptions and deferrals.", int),
        Field("corrected", "Recorded ones that were corrected.", int),
        Field("unchanged", "Recorded already.", int),
    ),
)


def import_records(call: Call) -> Reply:
    """Import prior completions: all of them, or nothing."""
    return _import(call, "completions")


def import_roster(call: Call) -> Reply:
    """Import the roster: all of it, or nothing."""
    return _import(call, "roster")


def _import(call: Call, kind: str) -> Reply:
    if kind not in queries.list_importable_kinds(call.viewer):
        raise ForbiddenError("A file names people of the whole force, and this token is for one unit.")
    content = _read_file()
    profile = call.arguments.get("profile") or None
    sheet, mapping = open_for_profile(content, _FILE_NAME, kind, profile)
    upload = Upload(kind, _FILE_NAME, content, sheet, mapping, profile)
    new_values = _accepts_new_values(call)
    if _is_dry_run(call):
        result = services.check_upload(upload, new_values=new_values)
        return Reply(_build_import(None, "checked", sheet.rows, result.numbers, result.notices))
    if sheet.rows > services.MOST_ROWS_AT_ONCE:
        return _begin_job(upload, new_values)
    with transaction():
        log_token_act("import.sent", kind=kind, rows=sheet.rows)
    result = services.import_upload(upload, new_values=new_values)
    state = "unchanged" if result.is_empty else "applied"
    return Reply(_build_import(None, state, sheet.rows, result.numbers, result.notices))


def _begin_job(upload: Upload, new_values: bool) -> Reply:
    """Let a job check and apply a large file, and say where to ask for it."""
    with transaction():
        run = services.begin_import(upload, by=None, at=clock.now())
        services.start_import(run.id, new_values=new_values)
        log_token_act("import.sent", kind=upload.kind, rows=upload.sheet.rows, run=str(run.id))
        run_id = str(run.id)
    started = _build_import(run_id, "waiting", upload.sheet.rows, {})
    return Reply(started, status=202, location=f"{ROOT}/imports/{run_id}")


def show_import(call: Call) -> Reply:
    """How far an import of another system is."""
    run = queries.get_run(UUID(call.path["import_id"]))
    if run.began_by_id is not None or run.kind not in queries.list_importable_kinds(call.viewer):
        raise NotFoundError("There is no such import.")
    report = run.report if run.report and not run.ended_as else {}
    faults, notices = report.get("faults", ()), report.get("notices", ())
    return Reply(
        _build_import(str(run.id), _state_of(run), run.rows, run.numbers or {}, notices, faults=faults)
    )


def _state_of(run: ImportRun) -> str:
    if run.ended_as:
        return run.ended_as
    state = JOB_STATES.get(JobState(find_state(run.job_id) or JobState.FAILED)) if run.job_id else None
    return state or ("refused" if run.bad_rows else "checked")


def _build_import(
    run_id: str | None,
    state: str,
    rows: int,
    numbers: dict[str, int],
    notices: Iterable[Sequence[Any]] = (),
    *,
    faults: Iterable[Sequence[Any]] = (),
) -> dict[str, Any]:
    told = {"faults": faults, "notices": notices}
    lines = {name: [{"line": line, "reason": reason} for line, reason in each] for name, each in told.items()}
    return {"id": run_id, "state": state, "rows": rows, "numbers": numbers, **lines}


def import_exclusions(call: Call) -> Reply:
    """Record exemptions and deferrals: all of them, or nothing."""
    rows = parse_table(_read_file(), _FILE_NAME, required=COLUMNS, optional=OPTIONAL)
    if len(rows) > MOST_EXCLUSIONS:
        raise BadInputError([f"Send at most {MOST_EXCLUSIONS:,} rows at once: split the file."])
    is_dry_run = _is_dry_run(call)
    with transaction(dry_run=is_dry_run):
        counts = record_exclusions(rows, at=clock.now(), viewer=call.viewer)
        log_token_act("exclusions.sent", added=counts.added, corrected=counts.corrected)
    state = "applied" if counts.added or counts.corrected else "unchanged"
    numbers = {"added": counts.added, "corrected": counts.corrected, "unchanged": counts.unchanged}
    return Reply({"state": "checked" if is_dry_run else state, **numbers})


_FILE_NAME = "file"


def _read_file() -> bytes:
    """The body of the request, a file."""
    if request.mimetype not in MEDIA_TYPES:
        abort(415)
    return request.get_data()


def _accepts_new_values(call: Call) -> bool:
    return call.arguments.get("new_values") == "accept"


def _is_dry_run(call: Call) -> bool:
    return call.arguments.get("dry_run") == "true"


def allow_large_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a file be larger than other requests; runs before anything reads it."""
    if endpoint in {f"api.{operation.name}" for operation in WRITE_OPERATIONS if operation.media_types}:
        request.max_content_length = MOST_BYTES


WRITE_OPERATIONS = (
    Operation(
        "import_records",
        "/records",
        "Import prior completions, as records import does",
        IMPORT,
        import_records,
        method="POST",
        scopes=WRITERS,
        parameters=(PROFILE, DRY_RUN),
        at_position=False,
        media_types=MEDIA_TYPES,
        statuses=(200, 202),
    ),
    Operation(
        "import_roster",
        "/roster",
        "Import the roster, as people import does",
        IMPORT,
        import_roster,
        method="POST",
        scopes=WRITERS,
        parameters=(PROFILE, NEW_VALUES, DRY_RUN),
        at_position=False,
        media_types=MEDIA_TYPES,
        statuses=(200, 202),
    ),
    Operation(
        "import_exclusions",
        "/exclusions",
        "Record exemptions and deferrals, as directives exclude does",
        EXCLUSIONS,
        import_exclusions,
        method="POST",
        scopes=WRITERS,
        parameters=(DRY_RUN,),
        at_position=False,
        media_types=MEDIA_TYPES,
    ),
    Operation(
        "show_import",
        "/imports/<uuid:import_id>",
        "How far a large import is",
        IMPORT,
        show_import,
        scopes=WRITERS,
        at_position=False,
    ),
)
