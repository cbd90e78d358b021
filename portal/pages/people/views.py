"""The blueprint of the pages about one person."""

from flask import Blueprint

from portal.pages.people import account_views

bp = Blueprint("people", __name__, template_folder="templates")
account_views.add_account_pages(bp)
