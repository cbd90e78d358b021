"""Commands: accounts, and those of people that change what someone may do."""

from datetime import datetime

import click
from flask import Blueprint, current_app

from portal.commands.people import bp as people
from portal.commands.people import refuse
from portal.domain.accounts import services
from portal.domain.accounts.grants import changes
from portal.domain.people.queries import person_by_staff_number, unit_by_path
from portal.platform import clock
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import PortalError
from portal.platform.permissions import Role

bp = Blueprint("accounts_commands", __name__, cli_group="accounts")


@bp.cli.command("invite")
@click.argument("staff_number")
def invite(staff_number: str) -> None:
    """Print a single-use link with which STAFF_NUMBER sets a password within 24 hours."""
    try:
        with transaction():
            token = services.invite(person_by_staff_number(staff_number), by=None, at=clock.now())
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{current_app.config['PORTAL'].address}/set-password/{token}")


@people.cli.command("grant")
@click.argument("staff_number")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--unit", help="Path of the unit on which, such as 'Westshire Police/Crime'.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Its last day; without one it has none.")
def grant_role(staff_number: str, role: str, unit: str | None, until: datetime | None) -> None:
    """Grant ROLE to the person with STAFF_NUMBER, from today on; their sessions end."""
    try:
        with transaction():
            made = changes.grant(
                person_by_staff_number(staff_number),
                Role(role),
                unit_id=_unit_id(unit),
                by=None,
                at=clock.now(),
                until=until.date() if until else OPEN_END,
            )
    except PortalError as error:
        refuse(error)
    where = f" on {unit}" if unit else ""
    click.echo(f"{staff_number} {'is now' if made else 'was already'} {role}{where}.")


@people.cli.command("revoke")
@click.argument("staff_number")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--unit", help="Path of the unit on which it was granted.")
def revoke_role(staff_number: str, role: str, unit: str | None) -> None:
    """Revoke ROLE from the person with STAFF_NUMBER, at once; their sessions end."""
    try:
        with transaction():
            ended = changes.revoke(
                person_by_staff_number(staff_number),
                Role(role),
                unit_id=_unit_id(unit),
                by=None,
                at=clock.now(),
            )
    except PortalError as error:
        refuse(error)
    where = f" on {unit}" if unit else ""
    click.echo(f"{staff_number} {'is no longer' if ended else 'was not'} {role}{where}.")


def _unit_id(path: str | None) -> int | None:
    """The unit of the path; an empty path is a mistake, not the whole force."""
    return None if path is None else unit_by_path(path, clock.today())
