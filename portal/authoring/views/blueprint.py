"""The blueprint that every page of the desk hangs on."""

from flask import Blueprint

bp = Blueprint("authoring", __name__, url_prefix="/authoring", template_folder="../templates")
