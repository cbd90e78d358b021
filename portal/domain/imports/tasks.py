"""Jobs that check and apply large files, so that no browser waits for them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from portal.domain.imports import kept_rows, queries, services
from portal.domain.imports.check_result import CheckResult, MovedError, Tell, ignore_progress
from portal.domain.imports.services import Upload
from portal.domain.people.queries import viewer_of
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ForbiddenError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Task

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
    services.record_job(run_id, reference)
    return reference


def refuse_lost_role(kind: str, by: int | None) -> None:
    """Refuse a job whose starter may no longer import such files; None: a command, which may import all.

    Raises:
        ForbiddenError: They may not import this any more.
    """
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
    result = services.check_run(run, lambda step, text: progress.report_progress(step, STEPS, text))
    with transaction():
        services.save_check(run.id, result, clock.now())
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
        result = services.check_run(queries.get_run(run_id), tell)
        if result.digest != expected:
            break
        if not result.faults:
            result.stage(tell)

        def record(result: CheckResult = result) -> None:
            services.apply_import(run_id, result, expected, by=by, at=clock.now())
            conclude(result.numbers)

        try:
            result.commit(record, tell)
        except MovedError:  # something was recorded meanwhile; the next check shows whether it matters
            continue
        return result
    with transaction():
        services.save_check(run_id, result, clock.now())
    raise MovedError


def run_import(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check another system's file and write all of it; if that is refused, save the check."""
    run = queries.get_run(UUID(arguments["run"]))
    progress.report_progress(0, STEPS, "Reading the file")
    result = services.check_run(run, lambda step, text: progress.report_progress(step, STEPS, text))
    if "new_values" not in arguments:
        result = replace(result, faults=sorted([*result.faults, *result.mistyped]))
    if not result.faults:
        conclude = progress.conclude_job
        return dict(check_and_apply(run.id, result.digest, by=None, conclude=conclude).numbers)
    with transaction():
        services.save_check(run.id, result, clock.now())
        numbers = {"Bad rows": result.bad_rows}
        progress.conclude_job(numbers)
    return numbers


def check_upload(upload: Upload, *, new_values: bool = False) -> CheckResult:
    """Compare a command's or another system's file with the portal's data.

    Args:
        upload: The file.
        new_values: Whether somebody said that new values are meant which look mistyped.

    Raises:
        BadInputError: Rows are bad, or values look mistyped: one reason for each, with its line.
    """
    result = services.CHECKS[upload.kind](upload.sheet, upload.mapping, ignore_progress)
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
            run = services.begin_import(upload, by=None, at=clock.now())
            services.apply_import(run.id, result, result.digest, by=None, at=clock.now())

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
            "Rows erased": kept_rows.erase_lapsed(now),
            "Files deleted": services.delete_expired_files(now),
        }
        progress.conclude_job(numbers)
    return numbers


def _has_lapsed() -> bool:
    now = clock.now()
    return kept_rows.has_lapsed_rows(now) or queries.has_expired_files(now)


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
