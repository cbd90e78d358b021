"""Command: content publish; all that a release brings, from its folders to published versions."""

import click
from flask import Blueprint

from config import ROOT
from portal.commands.publications import DRY_RUN, echo_versions
from portal.commands.refusals import exit_if_refused
from portal.domain.authoring.release_content import publish_release
from portal.platform import clock
from portal.platform.db import transaction

bp = Blueprint("content_commands", __name__, cli_group="content")


@bp.cli.command("publish")
@click.option("--author", prompt="Staff number of the author", help="Staff number of an author.")
@click.option(
    "--publisher", prompt="Staff number of the publisher", help="Staff number of a publisher, somebody else."
)
@DRY_RUN
def publish_content(author: str, publisher: str, dry_run: bool) -> None:
    """Publish the modules, guides, exercises, event types and recommendations that came with the release.

    All or nothing, and again the same is nothing. What this portal has already in versions of its own is
    named and left as it is. Whoever is not named is asked for.
    """
    with exit_if_refused(), transaction(dry_run=dry_run):
        parts = publish_release(ROOT, author=author, publisher=publisher, at=clock.now())
    for part in parts:
        echo_versions(part.numbers, dry_run)
        if part.differing:
            click.echo(
                f"{part.folder}: left as it is here, with other versions of {', '.join(part.differing)}."
                f" {part.folder.replace('_', '-')} publish {ROOT / part.folder} takes the release’s."
            )
