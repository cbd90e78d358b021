"""The blueprint of all pages under /returns; their views are in files beside it."""

from flask import Blueprint

bp = Blueprint("returns", __name__, template_folder="templates")
