"""Commands: recommendations check, publish, export and list; from file to published version."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands.folder_writing import exit_refused, run_or_try
from portal.domain.assurance import publishing
from portal.domain.assurance.recommendation_source import RecommendationSource
from portal.platform import clock
from portal.platform.errors import BadInputError, PortalError
from portal.platform.wording import date as say_date

bp = Blueprint("recommendations_commands", __name__, cli_group="recommendations")

PLACE = click.Path(exists=True, path_type=Path)


@bp.cli.command("check")
@click.argument("place", metavar="FILE|DIR", type=PLACE)
def check_recommendations(place: Path) -> None:
    """Check one recommendation's file, or a folder of them; list every fault with its file and line."""
    try:
        sources = _read_sources(place)
    except PortalError as error:
        exit_refused(error)
    for source in sources:
        click.echo(f"{source.key}: {source.title}, by {say_date(source.deadline_on)}, no faults.")


@bp.cli.command("publish")
@click.argument("place", metavar="FILE|DIR", type=PLACE)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and change nothing.")
def publish_recommendations(place: Path, dry_run: bool) -> None:
    """Publish one recommendation's file, or a folder of them; all or nothing.

    What is published already, byte for byte, is not published again.
    """
    try:
        with run_or_try(dry_run):
            numbers = publishing.publish_recommendations(_read_sources(place), at=clock.now(), by=None)
    except PortalError as error:
        exit_refused(error)
    done = "would be published" if dry_run else "published"
    for key, number in numbers.items():
        said = "unchanged, nothing to publish" if number is None else f"version {number} {done}"
        click.echo(f"{key}: {said}.")


@bp.cli.command("export")
@click.argument("key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--version", "number", type=click.IntRange(1, 1_000_000), help="The latest unless given.")
def export_recommendation(key: str, file: Path, number: int | None) -> None:
    """Write the file of a published recommendation to FILE, byte for byte. FILE must be new."""
    try:
        version = publishing.numbered_recommendation(key, number)
        with file.open("xb") as target:
            target.write(version.content)
    except PortalError as error:
        exit_refused(error)
    except OSError as error:
        exit_refused(BadInputError([f"{file} cannot be written: {error.strerror}."]))
    click.echo(f"{key}: version {version.number} written to {file}.")


@bp.cli.command("list")
def list_recommendations() -> None:
    """List the published recommendations: key, version, title and deadline."""
    for key, version in publishing.current_recommendations():
        click.echo(f"{key}: version {version.number}, {version.title}, by {say_date(version.deadline_on)}")


def _read_sources(place: Path) -> list[RecommendationSource]:
    return publishing.check_folder(place) if place.is_dir() else [publishing.check_file(place)]
