"""Command ``jobs work`` and the worker of an application."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
from flask import Blueprint, Flask, current_app

from config import Config, list_retired_settings
from portal.domain.accounts import retention
from portal.platform import presence
from portal.platform.db import transaction
from portal.platform.jobs.registry import Routine
from portal.platform.jobs.worker import Worker, WorkerSetup
from portal.platform.processes import name_process

RECORD_SECONDS = 60  # between two signs that a worker runs on this machine
MOST_ROUNDS = 100  # of deleting what expired, in one minute

bp = Blueprint("jobs_commands", __name__, cli_group="jobs")


def make_worker_setup(app: Flask) -> WorkerSetup:
    """What a worker of this application needs."""
    config = app.config["PORTAL"]
    return WorkerSetup(
        open_context=app.app_context,
        lost_seconds=config.jobs_lost_seconds,
        kept_days=config.jobs_kept_days,
        upkeep=partial(_delete_expired_rows, timedelta(hours=config.absolute_hours)),
        routines=(*_list_routines(config), _record_worker_of(config.instance)),
        reason_to_wait=app.extensions["schema_watch"].reason_to_wait,
    )


def run_worker(app: Flask, threads: int, *, embedded: bool = False) -> None:
    """Run jobs until told to end or, if embedded, until the process that started this one has ended."""
    if embedded:
        name_process("portal-jobs")
    Worker(make_worker_setup(app), threads, embedded=embedded).run_until_told_to_end()


@bp.cli.command("work")
@click.option(
    "--workers", type=click.IntRange(1, 32), help="How many jobs at once; JOBS_WORKERS if left out."
)
def run_jobs(workers: int | None) -> None:
    """Run jobs until stopped by SIGTERM or Ctrl-C. If you use it, set JOBS=separate for the server."""
    app = cast(Any, current_app)._get_current_object()
    for sentence in list_retired_settings():
        click.echo(sentence, err=True)
    try:
        app.extensions["schema_watch"].watch_for_server()
    except presence.RestoringError as error:
        raise click.ClickException(str(error)) from error
    run_worker(app, workers or app.config["PORTAL"].jobs_workers)


def _list_routines(config: Config) -> list[Routine]:
    """What features that are on have done again and again."""
    return [
        routine
        for feature in config.features_on
        for name in feature.routines
        for routine in feature.load(name)
    ]


def _record_worker_of(instance: Path) -> Routine:
    return Routine("presence", lambda _stopping: presence.record_worker(instance), RECORD_SECONDS)


def _delete_expired_rows(session_lasts: timedelta, now: datetime) -> None:
    for _ in range(MOST_ROUNDS):
        # Mostly there are none, and then the write lock is not taken.
        if not retention.has_expired_rows(session_lasts, now):
            return
        with transaction():
            retention.delete_expired_rows(session_lasts, now)
