"""Commands: report."""

from flask import Blueprint

bp = Blueprint("report_commands", __name__, cli_group="report")
