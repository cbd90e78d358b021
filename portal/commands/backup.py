"""Commands: backup, restore and version."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands import release
from portal.platform.backups import backup as backups_backup
from portal.platform.backups import restore as backups_restore
from portal.platform.errors import PortalError
from portal.platform.wording import plural

bp = Blueprint("operations_commands", __name__, cli_group=None)


@bp.cli.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the whole database to FILE, consistent while the portal is in use."""
    try:
        backup_file = backups_backup.backup(file)
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"Backed up to {file}: {backup_file.size:,} bytes, newest stamp {backup_file.newest_stamp or 'none'}."
    )


@bp.cli.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a database that already holds data.")
@click.option(
    "--identity",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the identity that opens FILE, if it is encrypted.",
)
def restore(file: Path, replace: bool, identity: Path | None) -> None:
    """Put back the database in FILE; stop the portal first. Everyone signs in again.

    A copy is checked and, if it is of an older release, upgraded, and then replaces the database in one
    step. The database before is kept.
    """
    try:
        done = backups_restore.restore(file, replace=replace, identity_file=identity)
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Restored {file}. What was recorded after {done.newest_stamp or 'nothing'} is not in it.")
    if done.revision != done.head:
        click.echo(f"Upgraded from revision {done.revision} to {done.head}.")
    click.echo(f"The database before is kept: {done.kept}" if done.kept else "There was no database before.")
    click.echo(f"{done.sessions:,} people were signed in and have to sign in again.")
    if done.jobs:
        click.echo(f"{done.jobs:,} jobs had not ended and are marked as failed: see /jobs.")
    if done.webhooks:
        paused = plural(done.webhooks, "webhook is", "webhooks are")
        click.echo(f"{paused} paused: resume at /webhooks, on one machine alone.")


@bp.cli.command("version", with_appcontext=False)
def version() -> None:
    """Print the portal's version, then those of Python, Flask and Werkzeug.

    ``flask --version`` is Flask's own: it ends before any application is loaded.
    """
    for name, number in release.list_versions():
        click.echo(f"{name} {number}")
