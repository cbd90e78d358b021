"""Pages of this feature."""

from flask import Blueprint

bp = Blueprint("monitoring", __name__, template_folder="templates")
