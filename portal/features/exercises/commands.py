"""Commands: exercises check, publish, export and list; from folder to published version."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands.publications import DRY_RUN, VERSION, write_folder
from portal.commands.refusals import exit_if_refused, exit_refused
from portal.features.exercises import versions
from portal.features.exercises.checks import check_exercise_brief, list_questions
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError
from portal.platform.wording import plural

bp = Blueprint("exercises_commands", __name__, cli_group="exercises")

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@bp.cli.command("check")
@click.argument("folder", metavar="DIR", type=FOLDER)
def check_exercises(folder: Path) -> None:
    """Check one exercise's folder, or the folder of all; list every fault with its file and line.

    Faults of the format come first. If there are none, breaches of the brief for exercises are listed: number
    of injects, turning points and decisions, long gaps, figures, reading grade, unfinished text. The command
    then ends with 1 too, but the exercise can still be published.
    """
    with exit_if_refused():
        reading = versions.check_exercise_folder(folder)
        reading.faults.refuse()
    breaches = [str(b) for each in reading.exercises for b in check_exercise_brief(each, clock.today())]
    if breaches:
        exit_refused(BadInputError(breaches))
    for checked in reading.exercises:
        questions = sum(1 for _ in list_questions(checked.text))
        counts = f"{plural(len(checked.text.injects), 'inject')}, {plural(questions, 'question')}"
        click.echo(f"{checked.text.key}: {counts}, {plural(checked.text.minutes, 'minute')}, no faults.")


@bp.cli.command("publish")
@click.argument("folder", metavar="DIR", type=FOLDER)
@DRY_RUN
def publish_exercises(folder: Path, dry_run: bool) -> None:
    """Publish one exercise's folder, or the folder of all exercises; all or nothing.

    Only faults of the format are refused; “exercises check” lists breaches of the brief too.
    """
    with exit_if_refused(), transaction(dry_run=dry_run):
        published = versions.publish_exercise_folder(folder, at=clock.now())
    done = "would be published" if dry_run else "published"
    for key, number in published.versions:
        click.echo(f"{key}: version {number} {done}.")
    for key in published.unchanged:
        click.echo(f"{key}: unchanged, nothing to publish.")


@bp.cli.command("export")
@click.argument("key")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@VERSION
def export_exercise(key: str, folder: Path, number: int | None) -> None:
    """Write a published exercise's folder to DIR, byte for byte. DIR must be new or empty."""
    with exit_if_refused(writing=folder):
        version = versions.newest_version(key) if number is None else versions.numbered_version(key, number)
        if version is None:
            raise NotFoundError(f"The exercise “{key}” is not published.")
        files = versions.version_files(version.id)
        write_folder(files, folder)
    click.echo(f"{key}: {plural(len(files), 'file')} written to {folder}.")


@bp.cli.command("list")
def list_published() -> None:
    """List the newest version of each published exercise."""
    lines = versions.list_newest_versions()
    for line in lines:
        click.echo(f"{line.key}: version {line.number}, {plural(line.minutes, 'minute')}, {line.title}")
    if not lines:
        click.echo("No exercise is published. “exercises publish DIR” publishes one.")
