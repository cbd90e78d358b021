"""The blueprint to which each file of views of events adds its pages."""

from flask import Blueprint

bp = Blueprint("events", __name__, template_folder="templates")
