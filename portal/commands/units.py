"""Commands: units."""

from collections.abc import Callable
from datetime import date, datetime

import click
from flask import Blueprint

from portal.commands.refusals import exit_if_refused
from portal.domain.people import units
from portal.platform.db import db, stamp, transaction

bp = Blueprint("units_commands", __name__, cli_group="units")

UnitOperation = Callable[..., bool]


@bp.cli.command("rename")
@click.argument("path")
@click.argument("new_path")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day with the new name.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def rename(path: str, new_path: str, on: datetime, dry_run: bool) -> None:
    """Rename the unit at PATH to the name at the end of NEW_PATH."""
    _change_unit(units.rename_unit, path, new_path, on.date(), dry_run)


@bp.cli.command("move")
@click.argument("path")
@click.argument("new_path")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day in the new place.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def move(path: str, new_path: str, on: datetime, dry_run: bool) -> None:
    """Move the unit at PATH, with all units below it, to NEW_PATH."""
    _change_unit(units.move_unit, path, new_path, on.date(), dry_run)


def _change_unit(operation: UnitOperation, path: str, new_path: str, on: date, dry_run: bool) -> None:
    with exit_if_refused(counted=False), transaction(dry_run=dry_run):
        changed = operation(path, new_path, on=on, at=stamp())
        if not changed:
            db.session.rollback()  # the stamp too: done twice is the same as once
    if changed:
        click.echo(f"From {on.isoformat()}, {path} is {new_path}.")
    click.echo("Dry run: nothing was changed." if dry_run else "Done." if changed else "Nothing to do.")
