"""Commands of group ``backups``: those that the portal makes by itself, as its jobs do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, current_app

from portal.platform import clock
from portal.platform.backups import making, tasks
from portal.platform.backups.copies import WrongIdentityError, make_identity
from portal.platform.backups.making import BACKUP, REHEARSAL, describe_gap, read_backup_status
from portal.platform.backups.settings import BackupSettings
from portal.platform.backups.storage import FolderStorage, fetch_backup, list_backups, open_copies
from portal.platform.backups.tasks import rehearse
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, PortalError
from portal.platform.jobs.services import record_ended_job
from portal.platform.wording import instant

bp = Blueprint("backups_commands", __name__, cli_group="backups")


@bp.cli.command("run")
def run_backup() -> None:
    """Make a backup now, copy it and remove old ones, as a worker does each day. The jobs list it."""
    settings = _read_settings()
    result = _record_job(
        BACKUP,
        lambda: tasks.backup_result(
            making.run_backup(settings, always=True, waits=False, report=_report_step)
        ),
    )
    for sentence in result["said"]:
        click.echo(sentence)


@bp.cli.command("status")
def show_status() -> None:
    """Say when the newest backup was made, how long it took, what would be lost now, and what is wrong.

    Ends with 1 if something is wrong.
    """
    status = read_backup_status(_read_settings(), clock.now())
    for sentence in (*status.sentences, describe_gap(status)):
        click.echo(sentence)
    if status.troubles:
        raise click.ClickException("\n".join(trouble.sentence for trouble in status.troubles))


@bp.cli.command("stored")
def list_stored() -> None:
    """List every whole backup, here and at the second place; needs no database."""
    settings = _read_settings()
    for storage in filter(None, (FolderStorage(settings.path), open_copies(settings))):
        click.echo(f"{storage.place}:")
        try:
            manifests = list_backups(storage)
        except PortalError as error:
            raise click.ClickException(str(error)) from error
        for manifest in manifests:
            kind = "encrypted" if manifest.encrypted else "not encrypted"
            click.echo(f"  {manifest.name}  {instant(manifest.taken_at)}  {manifest.size:,} bytes, {kind}")
        if not manifests:
            click.echo("  none")


@bp.cli.command("fetch")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--name", default="", help="The backup's name, from “backups stored”; without it the newest is fetched."
)
def fetch_stored(folder: Path, name: str) -> None:
    """Bring a backup from the second place (BACKUP_COPY_TO) into FOLDER, and check it; needs no database."""
    try:
        copies = open_copies(_read_settings())
        if copies is None:
            raise click.ClickException("BACKUP_COPY_TO is not set: there is no second place.")
        file = fetch_backup(copies, name, folder)
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Fetched {file}.")


@bp.cli.command("rehearse")
@click.option(
    "--identity",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The identity file that opens encrypted backups; without it BACKUP_IDENTITY_FILE is used.",
)
def rehearse_restore(identity: Path | None) -> None:
    """Restore the newest backup into a scratch database, and compare it with what it should hold.

    The portal may run meanwhile; its own database is not touched.
    """
    settings = _read_settings()
    file = identity or (Path(settings.identity_file) if settings.identity_file else None)
    result = _record_job(
        REHEARSAL, lambda: tasks.rehearsal_result(rehearse(settings, file, waits=False, report=_report_step))
    )
    for sentence in result["said"]:
        click.echo(sentence)


@bp.cli.command("new-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def make_key(file: Path) -> None:
    """Write a new identity to FILE, and print its public key for BACKUP_PUBLIC_KEYS.

    Keep the file off this machine, in two places: without it no encrypted backup can be read.
    """
    try:
        public_key = make_identity(file)
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"BACKUP_PUBLIC_KEYS={public_key}")
    click.echo(f"Move {file} off this machine, to two places: without it no encrypted backup can be read.")


def _read_settings() -> BackupSettings:
    settings: BackupSettings = current_app.config["PORTAL"].backup
    if not settings.folder:
        raise click.ClickException("BACKUP_DIR is not set, so the portal has no place for backups.")
    return settings


def _record_job(kind: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Call ``act``, list it among the jobs, return its result; a failure is listed and ends the command."""
    started_at, result, reason = clock.now(), None, ""
    try:
        result = act()
    except (ConflictError, WrongIdentityError) as error:  # no backup failed
        raise click.ClickException(str(error)) from error
    except PortalError as error:
        reason = str(error)
    with transaction():
        record_ended_job(kind, result, reason, started_at=started_at, at=clock.now())
    if result is None:
        raise click.ClickException(reason)
    return result


def _report_step(words: str) -> None:
    click.echo(f"{words} …", err=True)
