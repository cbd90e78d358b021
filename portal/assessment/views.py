"""Pages of this feature."""

from flask import Blueprint

bp = Blueprint("assessment", __name__, template_folder="templates")
