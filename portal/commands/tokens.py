"""Commands: tokens with which other systems use the portal."""

import click
from flask import Blueprint

from portal.domain import access_tokens
from portal.domain.access_tokens import TokenScope
from portal.domain.directives.queries import get_directive
from portal.domain.people.queries import unit_by_path
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.wording import instant, plural

bp = Blueprint("tokens_commands", __name__, cli_group="tokens")


@bp.cli.command("create")
@click.argument("name")
@click.option("--scope", type=click.Choice([str(scope) for scope in TokenScope]), required=True)
@click.option(
    "--unit", default="", help="Path of the unit whose people it reaches. Default: the whole force."
)
@click.option("--directive", default="", help="Reference of the one directive it reaches. Default: all.")
@click.option(
    "--days", type=int, default=access_tokens.USUAL_DAYS, show_default=True, help="How many days it works."
)
def create(name: str, scope: str, unit: str, directive: str, days: int) -> None:
    """Make the access token NAME and print it, this once."""
    try:
        unit_id = unit_by_path(unit, clock.today()) if unit else None
        reference = get_directive(directive).reference if directive else None
        with transaction():
            plain = access_tokens.create_token(
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
    """Print every access token that works, or waits after a restore: name, scope, reach, last use and end."""
    for row in access_tokens.list_tokens(None, clock.now()):
        if row.works or row.suspended:
            used = instant(row.last_used_at) if row.last_used_at else "never used"
            state = "\tsuspended by a restore" if row.suspended else ""
            reach = f"{row.unit_path or 'the whole force'}\t{row.directive_reference or 'every directive'}"
            click.echo(f"{row.name}\t{row.scope}\t{reach}\t{used}\tuntil {instant(row.expires_at)}{state}")


@bp.cli.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke the access token NAME: it is refused from the next request on."""
    try:
        with transaction():
            token = access_tokens.token_of_name(name)
            if token is None:
                raise NotFoundError(f"No access token that works has the name {name}.")
            access_tokens.revoke_token(token, by=None, at=clock.now())
    except PortalError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Revoked: {token.name}.")


@bp.cli.command("resume")
@click.argument("name", default="")
@click.option("--all", "everything", is_flag=True, help="Every token that a restore suspended.")
def resume(name: str, everything: bool) -> None:
    """Let the access token NAME work again, which a restore suspended."""
    if bool(name) == everything:
        raise click.UsageError("Name one token, or say --all.")
    with transaction():
        suspended = access_tokens.list_suspended(None, clock.now())
        chosen = [token for token in suspended if everything or token.name == name]
        names = [token.name for token in chosen]
        access_tokens.resume_tokens(chosen, by=None)
    if name and not names:
        raise click.ClickException(f"No token of the name {name} waits for this.")
    click.echo(f"{plural(len(names), 'token')} resumed{': ' if names else ''}{', '.join(names)}.")
