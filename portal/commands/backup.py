"""Commands: backup, restore and version."""

from collections.abc import Iterator
from pathlib import Path

import click
from flask import Blueprint

from portal.commands import release
from portal.domain.audit_desk.action_words import list_access_changes
from portal.domain.audit_desk.queries import sentence_of
from portal.domain.people.units import read_tree
from portal.platform import clock
from portal.platform.backups import copies
from portal.platform.backups import restore as backups_restore
from portal.platform.backups.restore import LaterAct, join_acts, read_acts_in_file
from portal.platform.errors import PortalError
from portal.platform.wording import instant, plural

bp = Blueprint("operations_commands", __name__, cli_group=None)


@bp.cli.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the whole database to FILE, consistent while the portal is in use."""
    try:
        backup_file = copies.backup(file)
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
@click.option(
    "--audit",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of the audit trail, downloaded at /audit after FILE was made: tells what FILE does not know.",
)
def restore(file: Path, replace: bool, identity: Path | None, audit: Path | None) -> None:
    """Put back the database in FILE; stop the portal first. Everyone signs in again.

    Access tokens and webhooks wait until they are resumed. Roles, tokens, accounts and second factors that
    were changed after FILE are listed, as far as the database before or a file of the audit trail says.

    A copy is checked and, if it is of an older release, upgraded, and then replaces the database in one
    step. The database before is kept.
    """
    try:
        told = read_acts_in_file(audit, list_access_changes()) if audit else None
        done = backups_restore.restore(
            file, replace=replace, identity_file=identity, actions=list_access_changes()
        )
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Restored {file}. What was recorded after {done.newest_stamp or 'nothing'} is not in it.")
    if done.revision != done.head:
        click.echo(f"Upgraded from revision {done.revision} to {done.head}.")
    click.echo(f"The database before is kept: {done.kept}" if done.kept else "There was no database before.")
    were, have = ("person was", "has") if done.sessions == 1 else ("people were", "have")
    click.echo(f"{done.sessions:,} {were} signed in and {have} to sign in again.")
    if done.jobs:
        had = plural(done.jobs, "job had not ended and is", "jobs had not ended and are")
        click.echo(f"{had} marked as failed: see /jobs.")
    for step, count in done.waiting:
        click.echo(f"{plural(count, step.one, step.several)} {step.fate}.")
    if done.tokens:
        suspended = plural(done.tokens, "access token is", "access tokens are")
        click.echo(f"{suspended} suspended: look at each, then let them work again at /tokens.")
    for sentence in _describe_later_acts(join_acts(done.audited_until, told, done.later_acts)):
        click.echo(sentence)


def _describe_later_acts(acts: list[LaterAct] | None) -> Iterator[str]:
    """What was changed of who may do what, and is not in the backup."""
    if acts is None:
        yield (
            "Whether roles, tokens, accounts or second factors were changed after this backup is not known "
            "here: look at /grants, /tokens and /people/accounts."
        )
    elif not acts:
        yield "No role, token, account or second factor was changed after this backup."
    else:
        yield "Changed after this backup, and not in it. Make each of these changes again:"
        tree = read_tree()
        for act in acts:
            unit_id = act.detail.get("unit_id")
            unit = tree.last_label_on(unit_id, clock.today()) if unit_id else ""
            words = act.words or sentence_of(act.action, act.detail, unit)
            people = (f", by {act.who}" if act.who else "") + (f", of {act.whom}" if act.whom else "")
            yield f"  {instant(act.happened_at)}: {words}{people}"


@bp.cli.command("version", with_appcontext=False)
def version() -> None:
    """Print the portal's version, then those of Python, Flask and Werkzeug.

    ``flask --version`` is Flask's own: it ends before any application is loaded.
    """
    for name, number in release.list_versions():
        click.echo(f"{name} {number}")
