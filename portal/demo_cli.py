"""Commands: the fictional force."""

from flask import Blueprint

bp = Blueprint("demo_commands", __name__, cli_group="demo")
