"""Commands: recommendations check, publish, export and list; from file to published version."""

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
from portal.features.assurance import recommendations
from portal.features.assurance.recommendations import RECOMMENDATION_FILES
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.wording import date as say_date

bp = Blueprint("recommendations_commands", __name__, cli_group="recommendations")


@bp.cli.command("check")
@FILE_OR_FOLDER
def check_recommendations(place: Path) -> None:
    """Check one recommendation's file, or a folder of them; list every fault with its file and line."""
    with exit_if_refused():
        sources = RECOMMENDATION_FILES.check_path(place)
    for source in sources:
        click.echo(f"{source.key}: {source.title}, by {say_date(source.deadline_on)}, no faults.")


@bp.cli.command("publish")
@FILE_OR_FOLDER
@DRY_RUN
def publish_recommendations(place: Path, dry_run: bool) -> None:
    """Publish one recommendation's file, or a folder of them; all or nothing.

    What is published already, byte for byte, is not published again.
    """
    with exit_if_refused(), transaction(dry_run=dry_run):
        sources = RECOMMENDATION_FILES.check_path(place)
        numbers = recommendations.publish_recommendations(sources, at=clock.now(), by=None)
    echo_versions(numbers, dry_run)


@bp.cli.command("export")
@click.argument("key")
@NEW_FILE
@VERSION
def export_recommendation(key: str, file: Path, number: int | None) -> None:
    """Write the file of a published recommendation to FILE, byte for byte. FILE must be new."""
    with exit_if_refused():
        version = recommendations.numbered_recommendation(key, number)
    write_new_file(file, version.content)
    click.echo(f"{key}: version {version.number} written to {file}.")


@bp.cli.command("list")
def list_recommendations() -> None:
    """List the published recommendations: key, version, title and deadline."""
    for key, version in recommendations.current_recommendations():
        click.echo(f"{key}: version {version.number}, {version.title}, by {say_date(version.deadline_on)}")
