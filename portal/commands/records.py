"""Commands: records."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands.imports import FILE_ARGUMENT, import_file

bp = Blueprint("records_commands", __name__, cli_group="records")


@bp.cli.command("import")
@FILE_ARGUMENT
@click.option(
    "--profile",
    default="default",
    show_default=True,
    help="How the columns are matched: default (one row a completion), wide (one row a person, with a column "
    "for each module), or the name of a saved one.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
def import_records(file: Path, profile: str, dry_run: bool) -> None:
    """Import the prior completions in FILE (CSV or XLSX): all of them, or nothing."""
    import_file("completions", file, profile, dry_run)
