"""The blueprint of the directives desk."""

from flask import Blueprint

bp = Blueprint("directives", __name__, url_prefix="/directives", template_folder="../templates")
