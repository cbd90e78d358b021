"""Commands: tokens with which other systems use the portal."""

import click
from flask import Blueprint

from portal.domain.access_tokens import queries, services
from portal.domain.access_tokens.models import TokenScope
from portal.domain.directives.queries import get_directive
from portal.domain.people.queries import unit_by_path
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.wording import instant

bp = Blueprint("tokens_commands", __name__, cli_group="tokens")


@bp.cli.command("create")
@click.argument("name")
@click.option("--scope", type=click.Choice([str(scope) for scope in TokenScope]), required=True)
@click.option(
    "--unit", default="", help="Path of the unit whose people it reaches. Default: the whole force."
)
@click.option("--directive", default="", help="Reference of the one directive it reaches. Default: all.")
@click.option(
    "--days", type=int, default=services.USUAL_DAYS, show_default=True, help="How many days it works."
)
def create(name: str, scope: str, unit: str, directive: str, days: int) -> None:
    """Make the access token NAME and print it, this once."""
    try:
        unit_id = unit_by_path(unit, clock.today()) if unit else None
        reference = get_directive(directive).reference if directive else None
        with transaction():
            plain = services.create_token(
                name,
                TokenScope(scope),
                unit_id=unit_id,
                directive_reference=reference,
                days=days,
                by=None,
                at=clock.now(),
            )
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(plain)


@bp.cli.command("list")
def print_tokens() -> None:
    """Print every access token that works: name, scope, unit, directive, last use and end."""
    for row in queries.list_tokens(None, clock.now()):
        if row.works:
            used = instant(row.last_used_at) if row.last_used_at else "never used"
            reach = f"{row.unit_path or 'the whole force'}\t{row.directive_reference or 'every directive'}"
            click.echo(f"{row.name}\t{row.scope}\t{reach}\t{used}\tuntil {instant(row.expires_at)}")


@bp.cli.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the access token NAME: it is refused from the next request on."""
    try:
        with transaction():
            token = queries.token_of_name(name)
            if token is None:
                raise NotFoundError(f"No access token that works has the name {name}.")
            services.revoke_token(token, by=None, at=clock.now())
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Revoked: {token.name}.")
