"""Commands: accounts."""

import click
from flask import Blueprint, current_app

from portal.domain.accounts import factors, services
from portal.domain.people.queries import person_by_staff_number
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import PortalError

bp = Blueprint("accounts_commands", __name__, cli_group="accounts")


@bp.cli.command("invite")
@click.argument("staff_number")
def print_password_link(staff_number: str) -> None:
    """Print a single-use link for STAFF_NUMBER to set a password. It works for 24 hours."""
    try:
        with transaction():
            token = services.create_password_link(
                person_by_staff_number(staff_number), by=None, at=clock.now()
            )
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{current_app.config['PORTAL'].address}/set-password/{token}")


@bp.cli.command("reset-factors")
@click.argument("staff_number")
def reset_factors(staff_number: str) -> None:
    """Remove the second factor and the recovery codes of STAFF_NUMBER, who lost them."""
    try:
        with transaction():
            factors.reset_factors(person_by_staff_number(staff_number), by=None, at=clock.now())
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{staff_number} has no second factor now. Make a link to add one: accounts invite {staff_number}"
    )
