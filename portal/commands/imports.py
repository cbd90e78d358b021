"""Commands: imports."""

import click
from flask import Blueprint

from portal.domain.imports import services
from portal.platform import clock
from portal.platform.db import transaction

bp = Blueprint("imports_commands", __name__, cli_group="imports")


@bp.cli.command("tidy")
def tidy() -> None:
    """Remove the files that waited for more than a week to be applied; looking at the page does it, too."""
    with transaction():
        many = services.delete_expired_files(clock.now())
    click.echo(f"Files removed: {many}")
