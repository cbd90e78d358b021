"""Help, the statements in the footer of every page, and the style sheet with the force's colour."""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from portal.pages.layout import brand
from portal.pages.layout.access import public

STATEMENTS = ("help", "accessibility", "privacy", "cookies")


def _statement_view(name: str) -> Callable[[], ResponseReturnValue]:
    def view() -> ResponseReturnValue:
        return render_template(f"statements/{name}.html")

    view.__name__ = name
    view.__doc__ = f"Show the page ``/{name}``."
    return view


def brand_sheet() -> ResponseReturnValue:
    """Serve the force's colour as a style sheet; browsers may cache it by its address."""
    style = Response(brand.style_sheet(current_app.config["BRAND_COLOUR"]), mimetype="text/css")
    style.headers["Cache-Control"] = "public, max-age=86400"
    return style


bp = Blueprint("statements", __name__, template_folder="templates")
for _name in STATEMENTS:
    bp.add_url_rule(f"/{_name}", _name, public(_statement_view(_name)))
bp.add_url_rule("/brand.css", "brand", public(brand_sheet))
