"""Commands: accounts."""

from flask import Blueprint

bp = Blueprint("accounts_commands", __name__, cli_group="accounts")
