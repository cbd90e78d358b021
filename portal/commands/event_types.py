"""Commands: event-types check, publish, export and list; from file to published version."""

from collections.abc import Iterable
from pathlib import Path

import click
from flask import Blueprint

from portal.commands.folder_writing import exit_refused, run_or_try
from portal.domain.catalogue import event_types
from portal.domain.catalogue.queries import is_set_up
from portal.domain.catalogue.sources.event_type_source import EventTypeSource
from portal.platform import clock
from portal.platform.errors import BadInputError, PortalError
from portal.platform.wording import minutes_words

bp = Blueprint("event_types_commands", __name__, cli_group="event-types")

PLACE = click.Path(exists=True, path_type=Path)


@bp.cli.command("check")
@click.argument("place", metavar="FILE|DIR", type=PLACE)
def check_event_types(place: Path) -> None:
    """Check one event type's file, or a folder of them; list every fault with its file and line.

    Where a database is set up, the modules and guides of the preparation must be published in it.
    """
    try:
        sources = _read_sources(place)
        if is_set_up():
            for source in sources:
                event_types.refuse_unknown_preparation(source)
    except PortalError as error:
        exit_refused(error)
    for source in sources:
        click.echo(f"{source.key}: {source.title}, {minutes_words(source.minutes)}, no faults.")


@bp.cli.command("publish")
@click.argument("place", metavar="FILE|DIR", type=PLACE)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and change nothing.")
def publish_event_types(place: Path, dry_run: bool) -> None:
    """Publish one event type's file, or a folder of them; all or nothing.

    What is published already, byte for byte, is not published again.
    """
    try:
        with run_or_try(dry_run):
            lines = _publish_sources(_read_sources(place), dry_run)
    except PortalError as error:
        exit_refused(error)
    for line in lines:
        click.echo(line)


@bp.cli.command("export")
@click.argument("key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--version", "number", type=click.IntRange(1, 1_000_000), help="The latest unless given.")
def export_event_type(key: str, file: Path, number: int | None) -> None:
    """Write the file of a published event type to FILE, byte for byte. FILE must be new."""
    try:
        version = event_types.numbered_event_type(key, number)
        with file.open("xb") as target:
            target.write(version.content)
    except PortalError as error:
        exit_refused(error)
    except OSError as error:
        exit_refused(BadInputError([f"{file} cannot be written: {error.strerror}."]))
    click.echo(f"{key}: version {version.number} written to {file}.")


@bp.cli.command("list")
def list_types() -> None:
    """List the published event types: key, version and title."""
    for version in event_types.current_event_types():
        click.echo(f"{version.activity.key}: version {version.number}, {version.title}")


def _read_sources(place: Path) -> list[EventTypeSource]:
    return event_types.check_folder(place) if place.is_dir() else [event_types.check_file(place)]


def _publish_sources(sources: Iterable[EventTypeSource], dry_run: bool) -> list[str]:
    done = "would be published" if dry_run else "published"
    lines = []
    for source in sources:
        number = event_types.publish_event_type(source, at=clock.now(), by=None)
        said = "unchanged, nothing to publish" if number is None else f"version {number} {done}"
        lines.append(f"{source.key}: {said}.")
    return lines
