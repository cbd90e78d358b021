"""Commands: modules."""

from flask import Blueprint

bp = Blueprint("modules_commands", __name__, cli_group="modules")
