"""The four steps of an import: upload a file, match its columns, check, and apply or cancel."""

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select

from portal.domain.imports import completion_check, kept_rows, profiles, queries, roster_check
from portal.domain.imports.check_result import CheckResult, MovedError, Tell, ignore_progress
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.file_opening import open_for_mapping
from portal.domain.imports.models import ImportContent, ImportProfile, ImportRun
from portal.domain.imports.value_mapping import FileValues, read_values
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, RuleError
from portal.platform.tables.table_files import Sheet

CHECKS: dict[str, Callable[[Sheet, ColumnMapping, Tell], CheckResult]] = {
    "roster": roster_check.check_roster,
    "completions": completion_check.check_completions,
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
    mapping = replace(profiles.map_completions(profiles.DEFAULT), keeps_unknown=True)
    columns = list(profiles.DEFAULT)
    sheet = Sheet(columns, [], len(kept_rows.list_ready(at)))
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
    """Begin a new import with the file and the columns of one that was applied, to see what would change now.

    Raises:
        NotFoundError: The file is deleted.
    """
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
        NotFoundError: The file is deleted.
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
        NotFoundError: The file is deleted.
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
        RuleError: A row is bad.
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
