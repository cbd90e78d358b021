"""The blueprint to which each file of views of exercises adds its pages."""

from flask import Blueprint

bp = Blueprint("exercises", __name__, template_folder="templates")
