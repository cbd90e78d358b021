"""Commands: event-types check, publish, export and list; from file to published version."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands.publications import (
    DRY_RUN,
    FILE_OR_FOLDER,
    NEW_FILE,
    VERSION,
    echo_versions,
    write_new_file,
)
from portal.commands.refusals import exit_if_refused
from portal.domain.catalogue import publishing
from portal.domain.catalogue.other_sources import EVENT_TYPE_FILES
from portal.domain.catalogue.version_cache import is_set_up
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.wording import minutes_words

bp = Blueprint("event_types_commands", __name__, cli_group="event-types")


@bp.cli.command("check")
@FILE_OR_FOLDER
def check_event_types(place: Path) -> None:
    """Check one event type's file, or a folder of them; list every fault with its file and line.

    Where a database is set up, the modules and guides of the preparation must be published in it.
    """
    with exit_if_refused():
        sources = EVENT_TYPE_FILES.check_path(place)
        if is_set_up():
            for source in sources:
                publishing.refuse_unknown_preparation(source)
    for source in sources:
        click.echo(f"{source.key}: {source.title}, {minutes_words(source.minutes)}, no faults.")


@bp.cli.command("publish")
@FILE_OR_FOLDER
@DRY_RUN
def publish_event_types(place: Path, dry_run: bool) -> None:
    """Publish one event type's file, or a folder of them; all or nothing.

    What is published already, byte for byte, is not published again.
    """
    with exit_if_refused(), transaction(dry_run=dry_run):
        numbers = {
            source.key: publishing.publish_event_type(source, at=clock.now(), by=None)
            for source in EVENT_TYPE_FILES.check_path(place)
        }
    echo_versions(numbers, dry_run)


@bp.cli.command("export")
@click.argument("key")
@NEW_FILE
@VERSION
def export_event_type(key: str, file: Path, number: int | None) -> None:
    """Write the file of a published event type to FILE, byte for byte. FILE must be new."""
    with exit_if_refused():
        version = publishing.numbered_event_type(key, number)
    write_new_file(file, version.content)
    click.echo(f"{key}: version {version.number} written to {file}.")


@bp.cli.command("list")
def list_types() -> None:
    """List the published event types: key, version and title."""
    for version in publishing.current_event_types():
        click.echo(f"{version.activity.key}: version {version.number}, {version.title}")
