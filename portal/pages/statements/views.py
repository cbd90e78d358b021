"""The statements that every page's foot links to, the help page, and the force's colour."""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from portal.pages.layout import brand
from portal.pages.layout.access import public

STATEMENTS = ("help", "accessibility", "privacy", "cookies")


def _statement(name: str) -> Callable[[], ResponseReturnValue]:
    def view() -> ResponseReturnValue:
        return render_template(f"statements/{name}.html")

    view.__name__ = name
    view.__doc__ = f"The page ``/{name}``."
    return view


def brand_sheet() -> ResponseReturnValue:
    """The force's own colour; its address carries the colour, so it may be kept."""
    style = Response(brand.sheet(current_app.config["BRAND_COLOUR"]), mimetype="text/css")
    style.headers["Cache-Control"] = "public, max-age=86400"
    return style


bp = Blueprint("statements", __name__, template_folder="templates")
for _name in STATEMENTS:
    bp.add_url_rule(f"/{_name}", _name, public(_statement(_name)))
bp.add_url_rule("/brand.css", "brand", public(brand_sheet))
