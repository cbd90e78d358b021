"""Commands: units."""

from flask import Blueprint

bp = Blueprint("units_commands", __name__, cli_group="units")
