"""Commands: records."""

import sys
from pathlib import Path

import click
from flask import Blueprint

from portal.db import stamp, transaction
from portal.errors import BadInputError, PortalError
from portal.people.files import read_table
from portal.records import imports

bp = Blueprint("records_commands", __name__, cli_group="records")


@bp.cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--profile",
    type=click.Choice(sorted(imports.PROFILES)),
    default="default",
    show_default=True,
    help="Which columns the file has.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
def import_records(file: Path, profile: str, dry_run: bool) -> None:
    """Import the prior completions in FILE (CSV or XLSX): all of them, or nothing."""
    try:
        rows = read_table(file, required=imports.PROFILES[profile])
        click.echo(f"Read {len(rows):,} rows.", err=True)
        found = imports.completions(rows)
        made = imports.outcome(found)
        if made.recorded and not dry_run:
            click.echo("Every row is good. Recording, with all that follows from it …", err=True)
            with transaction():
                made = imports.record_completions(found, stamp())
    except PortalError as error:
        for reason in error.reasons if isinstance(error, BadInputError) else [str(error)]:
            click.echo(reason, err=True)
        click.echo("Refused: nothing was changed.", err=True)
        sys.exit(1)
    click.echo(f"Recorded: {made.recorded}\nAlready held: {made.held}\nPeople: {made.people}")
    click.echo("Dry run: nothing was changed." if dry_run else "Done." if made.recorded else "Nothing to do.")
