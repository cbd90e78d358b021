"""Commands: people."""

from flask import Blueprint

bp = Blueprint("people_commands", __name__, cli_group="people")
