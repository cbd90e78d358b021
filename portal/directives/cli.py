"""Commands: directives."""

from flask import Blueprint

bp = Blueprint("directives_commands", __name__, cli_group="directives")
