"""The blueprint of all pages under /dip-samples; their views are in files beside it."""

from flask import Blueprint

bp = Blueprint("dip_samples", __name__, template_folder="templates")
