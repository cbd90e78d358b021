"""The four steps of an import: begin with a file, match its columns, check, apply or cancel."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.domain.imports import completion_check, queries, roster_check
from portal.domain.imports.check_result import CheckResult, MovedError, Tell, ignore_progress
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.models import ImportContent, ImportProfile, ImportRun
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, RuleError
from portal.platform.tables.table_files import Sheet, open_sheet

CHECKS: dict[str, Callable[[Sheet, ColumnMapping, Tell], CheckResult]] = {
    "roster": roster_check.check_roster,
    "completions": completion_check.check_completions,
}
ENDED = {
    "applied": "This import was applied already: nothing was done again.",
    "cancelled": "This import was cancelled.",
    "lapsed": "This import waited for more than a week, and its file was removed. Begin again with the file.",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody brought it, and how its columns are read so far."""

    kind: str  # "roster" or "completions"
    name: str  # as its owner calls it
    content: bytes
    sheet: Sheet
    match: ColumnMapping
    profile: str | None = None  # the name of the saved match, where one was chosen


def begin_import(brought: Upload, *, by: int | None, at: datetime) -> ImportRun:
    """Keep a file and how it is to be read; what waited for too long goes.

    Args:
        brought: The file.
        by: Who brings it; None for a command.
        at: This instant.
    """
    delete_expired_files(at)
    run = ImportRun(
        id=uuid4(),
        kind=brought.kind,
        shape=brought.match.shape,
        file_name=brought.name,
        sha256=hashlib.sha256(brought.content).hexdigest(),
        size=len(brought.content),
        rows=brought.sheet.rows,
        began_by_id=by,
        began_at=at,
        columns=brought.match.to_json(),
        profile=brought.profile,
    )
    db.session.add(run)
    db.session.flush()
    db.session.add(ImportContent(run_id=run.id, content=brought.content))
    log("import.begun", actor_id=by, run=str(run.id), kind=run.kind, sha256=run.sha256)
    return run


def delete_expired_files(at: datetime) -> int:
    """Remove the files that waited for more than a week, and say how many; their imports stay, as lapsed."""
    old = db.session.scalars(
        select(ImportRun)
        .where(ImportRun.ended_at.is_(None), ImportRun.began_at < at - queries.KEPT)
        .with_for_update()
    ).all()
    for run in old:
        _end_run(run, "lapsed", None, at)
    return len(old)


def match_columns(run_id: UUID, match: ColumnMapping, *, profile: str | None) -> None:
    """Say how the file is read; what an earlier check found no longer counts.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    run.columns, run.profile = match.to_json(), profile
    run.digest = run.checked_at = run.bad_rows = run.report = None


def save_profile(kind: str, name: str, match: ColumnMapping, *, by: int, at: datetime) -> None:
    """Keep a match under a name, in the place of one that has it."""
    held = db.session.scalar(
        select(ImportProfile).where(ImportProfile.kind == kind, ImportProfile.name == name)
    )
    if held is None:
        held = ImportProfile(kind=kind, name=name)
        db.session.add(held)
    held.columns, held.saved_by_id, held.saved_at = match.to_json(), by, at
    log("import.profile_saved", actor_id=by, kind=kind)


def note_job(run_id: UUID, job_id: UUID) -> None:
    """Note the job that checks or applies an import, so that its page can lead to it.

    Raises:
        ConflictError: The import has ended.
    """
    _get_open_run(run_id).job_id = job_id


def check_run(run: ImportRun, tell: Tell = ignore_progress) -> CheckResult:
    """Hold the run's file against what the portal knows now; reads, and takes no lock.

    Args:
        run: Whose.
        tell: Hears how far it is; may raise to stop it.

    Raises:
        BadInputError: The file cannot be read.
        NotFoundError: The file is gone.
        RuleError: Its columns are not matched.
    """
    sheet = open_sheet(queries.file_content(run.id), run.file_name)
    match = ColumnMapping.from_json(run.columns or {"shape": run.shape})
    gaps = match.list_gaps(sheet.columns)
    if gaps:
        raise RuleError("Match the columns of the file first: " + "; ".join(gaps.values()) + ".")
    return CHECKS[run.kind](sheet, match, tell)


def keep_check(run_id: UUID, found: CheckResult, at: datetime) -> None:
    """Keep what a check found, for its page and to hold the import to it.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    run.digest, run.checked_at = found.digest, at
    run.bad_rows, run.report = found.bad_rows, found.to_report()


def apply_import(run_id: UUID, found: CheckResult, expected: str, *, by: int | None, at: datetime) -> None:
    """Write what was checked, all of it, and let the file go.

    Args:
        run_id: Whose.
        found: What a check without a lock has just found.
        expected: The digest of the check that the person saw.
        by: Who applies it.
        at: Now, by the clock.

    Raises:
        RuleError: A row is bad.
        MovedError: It would do something else than the person saw; nothing was written.
        ConflictError: The import has ended.
    """
    stamped = None if found.is_empty else stamp()
    run = _get_open_run(run_id)
    if found.faults:
        raise RuleError("Some rows are bad, so nothing was imported. Mend the file and begin again with it.")
    if found.digest != expected:
        raise MovedError
    if stamped is not None:
        found.write(stamped, by)
        run.stamp = stamped
    run.numbers = found.numbers
    run.digest, run.checked_at, run.bad_rows = found.digest, at, 0
    _end_run(run, "applied", by, at)
    log("import.applied", actor_id=by, run=str(run.id), kind=run.kind, sha256=run.sha256)


def cancel_import(run_id: UUID, *, by: int | None, at: datetime) -> None:
    """Let the file go without applying it.

    Raises:
        ConflictError: The import has ended.
    """
    run = _get_open_run(run_id)
    _end_run(run, "cancelled", by, at)
    log("import.cancelled", actor_id=by, run=str(run.id), kind=run.kind)


def _get_open_run(run_id: UUID) -> ImportRun:
    run = queries.get_run(run_id, lock=True)
    if run.ended_as is not None:
        raise ConflictError(ENDED[run.ended_as])
    return run


def _end_run(run: ImportRun, how: str, by: int | None, at: datetime) -> None:
    """End a run; its file and the people whom its report names are not kept."""
    run.ended_at, run.ended_as, run.ended_by_id, run.report = at, how, by, None
    db.session.execute(delete(ImportContent).where(ImportContent.run_id == run.id))
