"""Commands: records. The one that imports them stands with imports, which keeps a list of all files."""

from flask import Blueprint

bp = Blueprint("records_commands", __name__, cli_group="records")
