"""The blueprint of the pages of exercises, which several files of views share."""

from flask import Blueprint

bp = Blueprint("exercises", __name__, template_folder="templates")
