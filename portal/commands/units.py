"""Commands: units."""

import sys
from collections.abc import Callable
from datetime import date, datetime

import click
from flask import Blueprint

from portal.domain.people.units import changes
from portal.platform.db import stamp, transaction
from portal.platform.errors import PortalError

bp = Blueprint("units_commands", __name__, cli_group="units")

UnitOperation = Callable[..., bool]


class _UnitDryRunError(Exception):
    """Rolls back what a dry run did."""


@bp.cli.command("rename")
@click.argument("path")
@click.argument("new_path")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day with the new name.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def rename(path: str, new_path: str, on: datetime, dry_run: bool) -> None:
    """Rename the unit at PATH to the name at the end of NEW_PATH."""
    _change_unit(changes.rename_unit, path, new_path, on.date(), dry_run)


@bp.cli.command("move")
@click.argument("path")
@click.argument("new_path")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day in the new place.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def move(path: str, new_path: str, on: datetime, dry_run: bool) -> None:
    """Move the unit at PATH, with all units below it, to NEW_PATH."""
    _change_unit(changes.move_unit, path, new_path, on.date(), dry_run)


def _change_unit(operation: UnitOperation, path: str, new_path: str, on: date, dry_run: bool) -> None:
    changed = False
    try:
        with transaction():
            changed = operation(path, new_path, on=on, at=stamp())
            if dry_run or not changed:
                raise _UnitDryRunError
    except _UnitDryRunError:
        pass
    except PortalError as error:
        click.echo(str(error), err=True)
        click.echo("Refused: nothing was changed.", err=True)
        sys.exit(1)
    if changed:
        click.echo(f"From {on.isoformat()}, {path} is {new_path}.")
    click.echo("Dry run: nothing was changed." if dry_run else "Done." if changed else "Nothing to do.")
