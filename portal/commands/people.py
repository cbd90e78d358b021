"""Commands: people. What they do stands higher up: importing with imports, roles with accounts."""

import sys
from typing import NoReturn

import click
from flask import Blueprint

from portal.platform.errors import BadInputError, PortalError

bp = Blueprint("people_commands", __name__, cli_group="people")


def refuse(error: PortalError) -> NoReturn:
    """Say why nothing was changed, and end with the code of a refusal."""
    reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
    for reason in reasons:
        click.echo(reason, err=True)
    click.echo("Refused: nothing was changed.", err=True)
    sys.exit(1)
