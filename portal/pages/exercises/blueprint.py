"""The blueprint of the pages of exercises, on which each file of views adds its own."""

from flask import Blueprint

bp = Blueprint("exercises", __name__, template_folder="templates")
