"""Commands: dip-samples import and template."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands.publications import NEW_FILE, write_new_file
from portal.commands.refusals import exit_if_refused
from portal.domain.people.queries import live_units, person_by_staff_number
from portal.features.dip_samples.services import import_samples, read_sample_file, write_template
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.tables.table_files import read_bytes

bp = Blueprint("dip_samples_commands", __name__, cli_group="dip-samples")


@bp.cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--by", "staff_number", metavar="STAFF_NUMBER", required=True, help="Who is responsible for the counts."
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and change nothing.")
def import_file(file: Path, staff_number: str, dry_run: bool) -> None:
    """Record the counts of FILE, a CSV file or a workbook: all of its rows or none."""
    with exit_if_refused():
        by = person_by_staff_number(staff_number)
        rows = read_sample_file(read_bytes(file), file.name)
        with transaction(dry_run=dry_run):
            done = import_samples(rows, live_units(clock.today()), by=by, at=clock.now())
    click.echo(f"Dry run, nothing was changed: {done.sentence}" if dry_run else done.sentence)


@bp.cli.command("template")
@NEW_FILE
def write_file(file: Path) -> None:
    """Write an empty CSV file with the columns of an import. FILE must be new."""
    write_new_file(file, write_template())
    click.echo(f"Columns written to {file}.")
