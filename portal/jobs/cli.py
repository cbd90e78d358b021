"""Command: a worker of its own."""

from typing import Any, cast

import click
from flask import Blueprint, current_app

from portal import presence
from portal.jobs.worker import work as work_on

bp = Blueprint("jobs_commands", __name__, cli_group="jobs")


@bp.cli.command("work")
@click.option("--workers", type=click.IntRange(1, 32), help="How many jobs at once; JOBS_WORKERS otherwise.")
def work(workers: int | None) -> None:
    """Run jobs until ended by SIGTERM or Ctrl-C; set JOBS=separate for the server then."""
    app = cast(Any, current_app)._get_current_object()
    try:
        presence.stay(app.config["PORTAL"].instance)
    except presence.RestoringError as error:
        raise click.ClickException(str(error)) from error
    work_on(app, workers or app.config["PORTAL"].jobs_workers)
