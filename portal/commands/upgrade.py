"""Command ``db upgrade``: says what it will do and about how long, then does it, or nothing of it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from time import monotonic
from typing import Any

import click
from flask.cli import with_appcontext
from flask_migrate.cli import db as migration_commands
from sqlalchemy.exc import DBAPIError

from config import current_settings
from portal.commands.release import check_release_first
from portal.platform import presence
from portal.platform.backups.copies import upgrade_database
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.operations import readiness
from portal.platform.operations.readiness import PlannedMigration, duration_words, plan_upgrade
from portal.platform.wording import plural

NOTES = "docs/operating/upgrade-notes.md"
WAIT_SECONDS = 600  # for another upgrade to end


@click.command("upgrade")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.argument("revision", default="head")
@with_appcontext
def upgrade_to_release(dry_run: bool, revision: str) -> None:
    """Bring the database to this release, or to REVISION: all migrations, or none of them.

    Says first what each migration does, whether the portal must be stopped, and about how long it takes. Cut
    off at any point, nothing was changed: run it again.
    """
    try:
        with db.engine.connect() as connection:
            current = readiness.revisions_of(connection)
            steps = plan_upgrade(connection, revision)
        _state_plan(current, steps)
        if steps and not dry_run:
            _run_migrations(steps, tells=bool(current))
    except (RuleError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    except (DBAPIError, sqlite3.Error) as error:
        raise click.ClickException(_sentence_of(error)) from error


@cache
def replace_upgrade() -> None:
    """Have ``db upgrade`` be this command, and others of the library say which database they cannot read."""
    migration_commands.add_command(upgrade_to_release)
    for name in ("check", "current", "downgrade"):
        command = migration_commands.commands[name]
        if command.callback is not None:
            command.callback = check_release_first(command.callback, may_be_older=True)


def _state_plan(current: set[str], steps: Sequence[PlannedMigration]) -> None:
    if not steps:
        click.echo(f"The database is at {', '.join(sorted(current))}: there is nothing to upgrade.")
        return
    count = plural(len(steps), "migration")
    if not current:
        click.echo(f"The database is empty. This makes its tables, with {count}, in a few seconds.")
        return
    click.echo(f"The database is at {', '.join(sorted(current))}. This upgrades it, with {count}:\n")
    for step in steps:
        click.echo(f"  {step.revision}  {step.sentence}{_format_remarks(step)}")
    rows = any(step.rows for step in steps)
    basis = "the rows that there are" if rows else "the number of migrations"
    seconds = sum(step.seconds for step in steps)
    click.echo(
        f"\nIt takes {duration_words(seconds)}: an estimate from {basis} and rates measured elsewhere."
    )
    if any(step.needs_stop for step in steps):
        click.echo("The portal must not run meanwhile: its server and workers are to be stopped.")
    else:
        click.echo("The portal may serve meanwhile. Restart its server and workers at once afterwards.")
    click.echo(f"What to know of each release is in {NOTES}. Have a backup.\n")


def _format_remarks(step: PlannedMigration) -> str:
    rows = " and ".join(f"{plural(count, 'row')} of {table}" for table, count in step.rows.items())
    remarks = [f"{duration_words(step.seconds)} for {rows}"] if any(step.rows.values()) else []
    remarks += ["needs a stop"] if step.needs_stop else []
    return f" ({'; '.join(remarks)})" if remarks else ""


def _run_migrations(steps: Sequence[PlannedMigration], *, tells: bool) -> None:
    begun = monotonic()
    with _hold_still(steps) if tells else nullcontext():
        upgrade_database(db.engine, steps[-1].revision, _state_progress if tells else None)
    seconds = plural(max(1, round(monotonic() - begun)), "second")
    click.echo(f"The database is at {steps[-1].revision}. It took {seconds}.")


@contextmanager
def _hold_still(steps: Sequence[PlannedMigration]) -> Iterator[None]:
    """Keep servers and workers away if one of the migrations needs it."""
    if not any(step.needs_stop for step in steps):
        yield
        return
    instance = current_settings().instance
    with ExitStack() as stack:
        try:
            stack.enter_context(presence.hold_alone(instance))
        except presence.RestoringError:
            click.echo("Another restore or upgrade is under way: waiting for at most ten minutes.", err=True)
            stack.enter_context(presence.hold_alone(instance, wait_seconds=WAIT_SECONDS))
        yield


def _state_progress(*, step: Any, **_: Any) -> None:
    click.echo(f"  {step.up_revision_id} is done.")


def _sentence_of(error: Exception) -> str:
    cause = readiness.in_one_line(error)
    if "LockNotAvailable" in cause:
        return (
            "A table is in use, and the upgrade did not wait longer for it: stop the server, its workers and"
            f" whatever else reads the database. Nothing was changed. ({cause})"
        )
    return f"The database was not upgraded ({cause}). Nothing was changed."
