"""Checking and applying large files as jobs, so that nobody's browser waits for them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from portal.domain.imports import queries, services
from portal.domain.imports.access import refuse_lost_role
from portal.domain.imports.check_result import CheckResult, MovedError, Tell, ignore_progress
from portal.domain.imports.sqlite_cache import enlarged_page_cache
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import register_task

MOST_AT_ONCE = 2_000  # rows that a page checks and applies while it is waited for
CHECK, APPLY = "imports.show_check", "imports.apply_import"
STEPS = 3
TRIES = 3  # to apply what somebody else's change, without effect on it, got in the way of


def _page(arguments: dict[str, Any]) -> str:
    return f"/imports/{arguments['run']}"


def start_check(run_id: UUID, *, by: int | None) -> UUID:
    """Ask for a job that checks the file; in the caller's transaction."""
    return _start(CHECK, run_id, {}, by)


def start_apply(run_id: UUID, expected: str, *, by: int | None) -> UUID:
    """Ask for a job that applies what a check of this digest found; in the caller's transaction."""
    return _start(APPLY, run_id, {"expected": expected}, by)


def _start(kind: str, run_id: UUID, more: dict[str, str], by: int | None) -> UUID:
    reference = jobs.start_job(kind, {"run": str(run_id), **more}, by=by, at=clock.now())
    services.note_job(run_id, reference)
    return reference


@register_task(CHECK, "Check of an import", page=_page)
def check(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Hold the file against what the portal knows, and keep what was found for its page."""
    run = queries.get_run(UUID(arguments["run"]))
    refuse_lost_role(run.kind, progress.asked_by_id)
    progress.report_progress(0, STEPS, "Reading the file")
    found = services.check_run(run, lambda done, said: progress.report_progress(done, STEPS, said))
    with transaction():
        services.keep_check(run.id, found, clock.now())
        result = {"Bad rows": found.bad_rows, **found.numbers}
        progress.conclude_job(result)
    return result


@register_task(APPLY, "Import", page=_page)
def apply(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the file once more, and write all of it in one transaction, or nothing."""
    run_id = UUID(arguments["run"])
    refuse_lost_role(queries.get_run(run_id).kind, progress.asked_by_id)
    progress.report_progress(0, STEPS, "Reading the file")
    found = applied(
        run_id,
        arguments["expected"],
        by=progress.asked_by_id,
        tell=lambda done, said: progress.report_progress(done, STEPS, said),
        conclude=progress.conclude_job,
    )
    return dict(found.numbers)


def applied(
    run_id: UUID,
    expected: str,
    *,
    by: int | None,
    tell: Tell = ignore_progress,
    conclude: Callable[[dict[str, Any]], None] = lambda _numbers: None,
) -> CheckResult:
    """Check once more without a lock, work out what follows, and write it; the edge of both ways to apply.

    Args:
        run_id: The import.
        expected: The digest of the check that the person saw.
        by: Who applies it.
        tell: Hears how far it is; may raise to stop it.
        conclude: Ends the job in the transaction that writes.

    Raises:
        MovedError: It would do something else than the person saw: the new check is kept for its page.
    """
    for _ in range(TRIES):
        found = services.check_run(queries.get_run(run_id), tell)
        if found.digest != expected:
            break
        if not found.faults:
            found.stage(tell)
        try:
            with transaction(), enlarged_page_cache():
                services.apply_import(run_id, found, expected, by=by, at=clock.now())
                conclude(found.numbers)
        except MovedError:  # something was recorded since; whether it matters, the next check says
            continue
        return found
    with transaction():
        services.keep_check(run_id, found, clock.now())
    raise MovedError
