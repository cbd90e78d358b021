"""The blueprint of all pages under /events; their views are in files beside it."""

from flask import Blueprint

bp = Blueprint("events", __name__, template_folder="templates")
