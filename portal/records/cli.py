"""Commands: records."""

from flask import Blueprint

bp = Blueprint("records_commands", __name__, cli_group="records")
