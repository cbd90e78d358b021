"""The operations that write: files of records, roster and exemptions, read as the commands read them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from flask import abort, request

from portal.domain.directives.exclusions import COLUMNS, OPTIONAL, record_exclusions
from portal.domain.imports import queries, services, tasks
from portal.domain.imports.file_opening import open_for_profile
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Upload
from portal.pages.api.operations import ROOT, WRITERS, Call, Operation, Parameter, Reply
from portal.pages.api.shapes import Field, ObjectShape
from portal.pages.layout.bearer import log_token_act
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ForbiddenError, NotFoundError
from portal.platform.jobs.models import JobState
from portal.platform.jobs.queries import find_state
from portal.platform.tables.table_files import MOST_BYTES, parse_table

CSV_TYPE = "text/csv"
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
        result = tasks.check_upload(upload, new_values=new_values)
        return Reply(_build_import(None, "checked", sheet.rows, result.numbers, result.notices))
    if sheet.rows > tasks.MOST_ROWS_AT_ONCE:
        return _begin_job(upload, new_values)
    with transaction():
        log_token_act("import.sent", kind=kind, rows=sheet.rows)
    result = tasks.import_upload(upload, new_values=new_values)
    state = "unchanged" if result.is_empty else "applied"
    return Reply(_build_import(None, state, sheet.rows, result.numbers, result.notices))


def _begin_job(upload: Upload, new_values: bool) -> Reply:
    """Let a job check and apply a large file, and say where to ask for it."""
    with transaction():
        run = services.begin_import(upload, by=None, at=clock.now())
        tasks.start_import(run.id, new_values=new_values)
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
    if endpoint in {f"api.{operation.name}" for operation in OPERATIONS if operation.media_types}:
        request.max_content_length = MOST_BYTES


OPERATIONS = (
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
