"""The four steps of an import: upload a file, match its columns, check, and apply or cancel."""

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select

from portal.domain.imports import columns as imports_columns
from portal.domain.imports import queries, roster, staged
from portal.domain.imports.check_result import CheckResult, MovedError, Tell, ignore_progress
from portal.domain.imports.columns import ColumnMapping, open_for_mapping
from portal.domain.imports.models import ImportContent, ImportProfile, ImportRun
from portal.domain.imports.values import FileValues, read_values
from portal.domain.people.queries import viewer_of
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import BadInputError, ConflictError, ForbiddenError, RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.registry import JobProgress, Task
from portal.platform.tables.table_files import Sheet

CHECKS: dict[str, Callable[[Sheet, ColumnMapping, Tell], CheckResult]] = {
    "roster": roster.check_roster,
    "completions": roster.check_completions,
}
KEPT_ROWS = "kept rows"  # in place of the name of a file
ENDED_MESSAGES = {
    "applied": "This import was applied already. Nothing was done again.",
    "cancelled": "This import was cancelled.",
    "lapsed": "This import waited for more than a week, so its file was deleted. Upload the file again.",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file with its column mapping."""

    kind: str  # "roster" or "completions"
    name: str  # the file's own name
    content: bytes
    sheet: Sheet
    mapping: ColumnMapping
    profile: str | None = None  # the name of the saved mapping, if one was chosen
    from_folder: bool = False  # the watched folder brought it


def begin_import(upload: Upload, *, by: int | None, at: datetime) -> ImportRun:
    """Store an uploaded file with its column mapping; files that waited too long are deleted.

    Args:
        upload: The file.
        by: Who uploads it; None for a command or the watched folder.
        at: This instant.
    """
    delete_expired_files(at)
    run = ImportRun(
        id=uuid4(),
        kind=upload.kind,
        shape=upload.mapping.shape,
        file_name=upload.name,
        sha256=hashlib.sha256(upload.content).hexdigest(),
        size=len(upload.content),
        rows=upload.sheet.rows,
        began_by_id=by,
        from_folder=upload.from_folder,
        began_at=at,
        columns=upload.mapping.to_json(),
        profile=upload.profile,
    )
    db.session.add(run)
    db.session.flush()
    db.session.add(ImportContent(run_id=run.id, content=upload.content))
    log("import.begun", actor_id=by, run=str(run.id), kind=run.kind, sha256=run.sha256)
    return run


def begin_kept_import(*, by: int | None, at: datetime) -> UUID:
    """Begin an import whose file has no rows of its own: its check proposes the kept rows of people who came.

    Args:
        by: Who begins it; None for a command.
        at: This instant.
    """
    mapping = replace(imports_columns.map_completions(imports_columns.DEFAULT), keeps_unknown=True)
    columns = list(imports_columns.DEFAULT)
    sheet = Sheet(columns, [], len(staged.list_ready(at)))
    content = (",".join(columns) + "\n").encode()
    return begin_import(Upload("completions", KEPT_ROWS, content, sheet, mapping), by=by, at=at).id


def delete_expired_files(at: datetime) -> int:
    """Delete files that waited for more than a week or were applied so long ago, and return how many.

    Their imports stay; those that waited as lapsed.
    """
    expired = db.session.scalars(
        select(ImportRun)
        .where(ImportRun.ended_at.is_(None), ImportRun.began_at < at - queries.FILE_RETENTION)
        .with_for_update()
    ).all()
    for run in expired:
        _end_run(run, "lapsed", None, at)
    return len(expired) + _delete_contents(
        ImportRun.ended_as == "applied", ImportRun.ended_at < at - queries.FILE_RETENTION
    )


def begin_again(run_id: UUID, *, by: int, at: datetime) -> ImportRun:
    """Begin a new import with the file and the columns of one that was applied, to see what changes now."""
    run = queries.get_run(run_id)
    upload = Upload(
        run.kind,
        run.file_name,
        queries.read_file_content(run_id),
        Sheet([], [], run.rows),
        mapping_of_run(run),
        run.profile,
    )
    return begin_import(upload, by=by, at=at)


def mapping_of_run(run: ImportRun) -> ColumnMapping:
    """How the import's columns are read, as far as that is known; changing it does not change the import."""
    return ColumnMapping.from_json(deepcopy(run.columns or {"shape": run.shape}))


def match_columns(run_id: UUID, mapping: ColumnMapping, *, profile: str | None) -> None:
    """Set how the file's columns are read; the result of an earlier check is deleted.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    run.columns, run.profile = mapping.to_json(), profile
    run.digest = run.checked_at = run.bad_rows = run.report = None


def choose_sheet(
    run_id: UUID,
    sheet: Sheet,
    mapping: ColumnMapping,
    profile: str | None,
    *,
    by: int | None,
    at: datetime,
) -> None:
    """Set which sheet of a workbook is read, and remember it in the profile that says so.

    Args:
        run_id: The import.
        sheet: The sheet.
        mapping: How its columns are read, with its name.
        profile: The saved profile that says so; None if none does.
        by: Who chooses it.
        at: This instant.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    match_columns(run_id, mapping, profile=profile)
    run.rows = sheet.rows
    if profile and by is not None:
        save_profile(run.kind, profile, mapping, by=by, at=at)


def answer_questions(run_id: UUID, answers: Mapping[tuple[str, str], str], *, by: int, at: datetime) -> None:
    """Add what values of a file mean to its mapping, and to the profile that it came from.

    Args:
        run_id: The import.
        answers: By our name of the column and the file's value; an empty value is the column as a whole.
        by: Who answers.
        at: This instant.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    mapping = mapping_of_run(run)
    for (target, text), meaning in answers.items():
        if text:
            mapping.values.setdefault(target, {})[text] = meaning
        else:
            mapping.forms[target] = meaning
    match_columns(run_id, mapping, profile=run.profile)
    if run.profile:
        save_profile(run.kind, run.profile, mapping, by=by, at=at)


def save_profile(kind: str, name: str, mapping: ColumnMapping, *, by: int, at: datetime) -> None:
    """Save a column mapping as a profile; it replaces a profile of the same name."""
    profile = db.session.scalar(
        select(ImportProfile).where(ImportProfile.kind == kind, ImportProfile.name == name)
    )
    if profile is None:
        profile = ImportProfile(kind=kind, name=name)
        db.session.add(profile)
    profile.columns, profile.saved_by_id, profile.saved_at = mapping.to_json(), by, at
    log("import.profile_saved", actor_id=by, kind=kind)


def record_job(run_id: UUID, job_id: UUID) -> None:
    """Record which job checks or applies an import, so that its page can link to it.

    Raises:
        ConflictError: The import has ended.
    """
    _get_open_run(run_id).job_id = job_id


def check_run(run: ImportRun, tell: Tell = ignore_progress, opened: Sheet | None = None) -> CheckResult:
    """Compare the import's file with the portal's data of now; reads only, and takes no lock.

    Args:
        run: The import.
        tell: Is told how far it is; may raise to stop it.
        opened: The file as ``open_run_sheet`` gave all of it, if that was done already.

    Raises:
        BadInputError: The file cannot be read.
        RuleError: Its columns are not matched.
    """
    return CHECKS[run.kind](*_match_sheet(run, opened), tell)


def read_run_values(run: ImportRun, opened: Sheet) -> FileValues:
    """The values of an import's file, with the questions that only a person can answer.

    Arguments and errors are those of ``check_run``, with the file always opened.
    """
    return read_values(*_match_sheet(run, opened))


def open_run_sheet(run: ImportRun, mapping: ColumnMapping, first: int | None = None) -> Sheet:
    """An import's file as a table. That takes a process of its own, so a request does it once.

    Args:
        run: The import.
        mapping: How its columns are read.
        first: How many lines to return, None for all.

    Raises:
        BadInputError: The file cannot be read.
    """
    return open_for_mapping(queries.read_file_content(run.id), run.file_name, mapping, first)


def _match_sheet(run: ImportRun, opened: Sheet | None) -> tuple[Sheet, ColumnMapping]:
    mapping = mapping_of_run(run)
    sheet = opened or open_run_sheet(run, mapping)
    if not sheet.settled:
        raise RuleError("Say first which sheet of the workbook is the list.")
    gaps = mapping.list_gaps(sheet.columns)
    if gaps:
        raise RuleError("Match the columns of the file first: " + "; ".join(gaps.values()) + ".")
    return sheet, mapping


def save_check(run_id: UUID, result: CheckResult, at: datetime) -> None:
    """Save the result of a check, for its page and so that exactly this can be applied.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    run.digest, run.checked_at = result.digest, at
    run.bad_rows, run.report = result.bad_rows, result.to_report()


def apply_import(run_id: UUID, result: CheckResult, expected: str, *, by: int | None, at: datetime) -> None:
    """Write all changes of a checked file; it is kept for a week, and its profile's earlier one is deleted.

    Args:
        run_id: The import.
        result: Of a check that has just been made without a lock.
        expected: The digest of the check that the person saw.
        by: Who applies it.
        at: Now, by the clock.

    Raises:
        MovedError: It would do something else than the person saw. Nothing was written.
        ConflictError: The import has ended.
    """
    recorded_at = stamp() if result.writes_facts else None
    run = _get_open_run(run_id)
    if result.faults:
        raise RuleError("Some rows are bad, so nothing was imported. Correct the file and upload it again.")
    if result.digest != expected:
        raise MovedError
    if recorded_at is not None:
        result.write(recorded_at, by)
        run.stamp = recorded_at
    result.keep(run.profile or "", by, at)
    run.numbers = result.numbers
    run.digest, run.checked_at, run.bad_rows = result.digest, at, 0
    _end_run(run, "applied", by, at)
    log("import.applied", actor_id=by, run=str(run.id), kind=run.kind, sha256=run.sha256)


def cancel_import(run_id: UUID, *, by: int | None, at: datetime) -> None:
    """Cancel the import, and delete its file.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    _end_run(run, "cancelled", by, at)
    log("import.cancelled", actor_id=by, run=str(run.id), kind=run.kind)


def _get_open_run(run_id: UUID) -> ImportRun:
    run = queries.get_run(run_id, lock=True)
    if run.ended_as is not None:
        raise ConflictError(ENDED_MESSAGES[run.ended_as])
    return run


def _end_run(run: ImportRun, how: str, by: int | None, at: datetime) -> None:
    """End an import; its report, which names people, is deleted, and so is a file that need not be kept."""
    run.ended_at, run.ended_as, run.ended_by_id, run.report = at, how, by, None
    if how == "applied":
        _delete_contents(
            ImportRun.ended_as == "applied",
            ImportRun.kind == run.kind,
            ImportRun.profile.is_not_distinct_from(run.profile),
            ImportRun.id != run.id,
        )
    else:
        _delete_contents(ImportRun.id == run.id)


def _delete_contents(*conditions: ColumnElement[bool]) -> int:
    """Delete the files of these imports, and return how many."""
    runs = select(ImportRun.id).where(*conditions)
    deleted: Any = db.session.execute(delete(ImportContent).where(ImportContent.run_id.in_(runs)))
    return int(deleted.rowcount)


# Jobs that check and apply large files, so that no browser waits for them.

MOST_ROWS_AT_ONCE = 2_000  # a larger file is checked and applied by a job
# In the table of jobs: never changed.
CHECK, APPLY, IMPORT = "imports.check", "imports.apply", "imports.import"
ERASE_KEPT = "imports.erase_kept"
STEPS = 3
TRIES = 3  # of applying, if others record facts meanwhile that do not affect the import


def _page_address(arguments: dict[str, Any]) -> str:
    return f"/imports/{arguments['run']}"


def start_check(run_id: UUID, *, by: int | None) -> UUID:
    """Start a job that checks the file; in the caller's transaction."""
    return _start_job(CHECK, run_id, {}, by)


def start_apply(run_id: UUID, expected: str, *, by: int | None) -> UUID:
    """Start a job that applies the check with this digest; in the caller's transaction."""
    return _start_job(APPLY, run_id, {"expected": expected}, by)


def start_import(run_id: UUID, *, new_values: bool) -> UUID:
    """Start a job that checks and applies another system's file, or refuses it as ``check_upload`` does."""
    return _start_job(IMPORT, run_id, {"new_values": "accept"} if new_values else {}, None)


def _start_job(kind: str, run_id: UUID, arguments: dict[str, str], by: int | None) -> UUID:
    reference = jobs.start_job(kind, {"run": str(run_id), **arguments}, by=by, at=clock.now())
    record_job(run_id, reference)
    return reference


def refuse_lost_role(kind: str, by: int | None) -> None:
    """Refuse a job whose starter may no longer import such files; None: a command, which may import all."""
    if by is None:
        return
    viewer = viewer_of(by)
    if viewer is None or not viewer.has_post or kind not in queries.list_importable_kinds(viewer):
        raise ForbiddenError("The person who started this import may no longer import such files.")


def run_check(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the file, and save the result for the import's page."""
    run = queries.get_run(UUID(arguments["run"]))
    refuse_lost_role(run.kind, progress.asked_by_id)
    progress.report_progress(0, STEPS, "Reading the file")
    result = check_run(run, lambda step, text: progress.report_progress(step, STEPS, text))
    with transaction():
        save_check(run.id, result, clock.now())
        numbers = {"Bad rows": result.bad_rows, **result.numbers}
        progress.conclude_job(numbers)
    return numbers


def run_apply(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the file once more, and write all of it in one transaction, or nothing."""
    run_id = UUID(arguments["run"])
    refuse_lost_role(queries.get_run(run_id).kind, progress.asked_by_id)
    progress.report_progress(0, STEPS, "Reading the file")
    result = check_and_apply(
        run_id,
        arguments["expected"],
        by=progress.asked_by_id,
        tell=lambda step, text: progress.report_progress(step, STEPS, text),
        conclude=progress.conclude_job,
    )
    return dict(result.numbers)


def check_and_apply(
    run_id: UUID,
    expected: str,
    *,
    by: int | None,
    tell: Tell = ignore_progress,
    conclude: Callable[[dict[str, Any]], None] = lambda _numbers: None,
) -> CheckResult:
    """Check the file once more without a lock, stage what follows, and write it; for the page and the job.

    Args:
        run_id: The import.
        expected: The digest of the check that the person saw.
        by: Who applies it.
        tell: Is told how far it is; may raise to stop it.
        conclude: Ends the job in the transaction that writes.

    Raises:
        MovedError: It would do something else than the person saw. The new check is saved for the page.
    """
    for _ in range(TRIES):
        result = check_run(queries.get_run(run_id), tell)
        if result.digest != expected:
            break
        if not result.faults:
            result.stage(tell)

        def record(result: CheckResult = result) -> None:
            apply_import(run_id, result, expected, by=by, at=clock.now())
            conclude(result.numbers)

        try:
            result.commit(record, tell)
        except MovedError:  # something was recorded meanwhile; the next check shows whether it matters
            continue
        return result
    with transaction():
        save_check(run_id, result, clock.now())
    raise MovedError


def run_import(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check another system's file and write all of it; if that is refused, save the check."""
    run = queries.get_run(UUID(arguments["run"]))
    progress.report_progress(0, STEPS, "Reading the file")
    result = check_run(run, lambda step, text: progress.report_progress(step, STEPS, text))
    if "new_values" not in arguments:
        result = replace(result, faults=sorted([*result.faults, *result.mistyped]))
    if not result.faults:
        conclude = progress.conclude_job
        return dict(check_and_apply(run.id, result.digest, by=None, conclude=conclude).numbers)
    with transaction():
        save_check(run.id, result, clock.now())
        numbers = {"Bad rows": result.bad_rows}
        progress.conclude_job(numbers)
    return numbers


def check_upload(upload: Upload, *, new_values: bool = False) -> CheckResult:
    """Compare a command's or another system's file with the portal's data.

    Args:
        upload: The file.
        new_values: Whether somebody said that new values are meant which look mistyped.
    """
    result = CHECKS[upload.kind](upload.sheet, upload.mapping, ignore_progress)
    faults = sorted([*result.faults, *([] if new_values else result.mistyped)])
    if faults:
        raise BadInputError([f"Line {line}: {reason}" for line, reason in faults])
    return result


def import_upload(
    upload: Upload, *, new_values: bool = False, tell_writing: Callable[[], None] = lambda: None
) -> CheckResult:
    """Check such a file and write all of it; check again if others recorded facts meanwhile. Edge only.

    Args:
        upload: The file.
        new_values: As of ``check_upload``.
        tell_writing: Called when all is good and the writing begins.

    Raises:
        BadInputError: Rows are bad or values look mistyped, and nothing was written.
        MovedError: Others recorded facts each time.
    """
    for _ in range(TRIES):
        result = check_upload(upload, new_values=new_values)
        if result.is_empty:
            return result
        tell_writing()
        result.stage(ignore_progress)

        def record(result: CheckResult = result) -> None:
            run = begin_import(upload, by=None, at=clock.now())
            apply_import(run.id, result, result.digest, by=None, at=clock.now())

        try:
            result.commit(record, ignore_progress)
        except MovedError:
            continue
        return result
    raise MovedError


def run_erase_kept(progress: JobProgress, _arguments: dict[str, Any]) -> dict[str, Any]:
    """Erase kept rows after 90 days, and imported files after a week, though nobody opens a page."""
    with transaction():
        now = clock.now()
        numbers = {
            "Rows erased": staged.erase_lapsed(now),
            "Files deleted": delete_expired_files(now),
        }
        progress.conclude_job(numbers)
    return numbers


def _has_lapsed() -> bool:
    now = clock.now()
    return staged.has_lapsed_rows(now) or queries.has_expired_files(now)


TASKS = (
    Task(CHECK, "Check of an import", run_check, page=_page_address),
    Task(APPLY, "Import", run_apply, page=_page_address),
    Task(IMPORT, "Import of another system", run_import, page=_page_address),
    Task(
        ERASE_KEPT,
        "Erasing of imported files and kept rows whose time is over",
        run_erase_kept,
        page=lambda _arguments: "/imports/kept",
        due=_has_lapsed,
    ),
)
