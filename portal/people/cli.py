"""Commands: people. What changes a role stands with accounts, whose sessions it ends."""

import sys
from pathlib import Path
from typing import NoReturn

import click
from flask import Blueprint

from portal.db import stamp, transaction
from portal.errors import BadInputError, PortalError
from portal.people import roster_store
from portal.people.files import read_table
from portal.people.paths import join
from portal.people.roster import Plan
from portal.people.roster_rows import OPTIONAL, REQUIRED, typed

bp = Blueprint("people_commands", __name__, cli_group="people")


@bp.cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def import_roster(file: Path, dry_run: bool) -> None:
    """Import the roster FILE (CSV or XLSX): all of it, or nothing."""
    try:
        rows = typed(read_table(file, required=REQUIRED, optional=OPTIONAL))
        click.echo(f"Read {len(rows):,} rows.", err=True)
        prepared = roster_store.prepare(rows)
        made = prepared.plan
        if not dry_run and not made.empty:
            click.echo("Every row is good. Writing, with all that follows from it …", err=True)
            with transaction():
                made = roster_store.apply(rows, prepared, stamp())
    except PortalError as error:
        refuse(error)
    click.echo(_summary(made))
    click.echo(
        "Dry run: nothing was changed." if dry_run else "Done." if not made.empty else "Nothing to do."
    )


def refuse(error: PortalError) -> NoReturn:
    """Say why nothing was changed, and end with the code of a refusal."""
    reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
    for reason in reasons:
        click.echo(reason, err=True)
    click.echo("Refused: nothing was changed.", err=True)
    sys.exit(1)


def _summary(made: Plan) -> str:
    lines = [
        f"New people: {len(made.new_people)}",
        f"New posts: {made.new_posts}",
        f"Corrected posts: {made.corrections}",
        f"Withdrawn posts: {made.withdrawn}",
        f"Corrected names: {len(made.renamed)}",
        f"Unchanged posts: {made.unchanged}",
    ]
    for title, items in (
        ("Units created", [join(unit.names) for unit in made.units.created]),
        ("People missing from the file", made.missing_people),
        ("Posts missing from the file", made.missing_posts),
    ):
        lines += [f"{title}: {len(items)}", *(f"  {item}" for item in items)]
    return "\n".join(lines)
