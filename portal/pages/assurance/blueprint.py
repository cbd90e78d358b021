"""The blueprint of all pages under /assurance; their views are in files beside it."""

from flask import Blueprint

bp = Blueprint("assurance", __name__, template_folder="templates")
