"""The statements that every page's foot links to, the help page, and the force's colour."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from portal.pages.layout import brand

STATEMENTS = ("help", "accessibility", "privacy", "cookies")


def _statement(name: str) -> Callable[[], ResponseReturnValue]:
    def view() -> ResponseReturnValue:
        return render_template(f"pages/{name}.html")

    view.__name__ = name
    view.__doc__ = f"The page ``/{name}``."
    return view


def brand_sheet() -> ResponseReturnValue:
    """The force's own colour; its address carries the colour, so it may be kept."""
    style = Response(brand.sheet(current_app.config["BRAND_COLOUR"]), mimetype="text/css")
    style.headers["Cache-Control"] = "public, max-age=86400"
    return style


def blueprint(public: Callable[[Any], Any]) -> Blueprint:
    """The pages that anyone may read.

    Args:
        public: ``portal.pages.layout.access.public``, handed in because access stands above the pages' frame.
    """
    pages = Blueprint("pages", __name__)
    for name in STATEMENTS:
        pages.add_url_rule(f"/{name}", name, public(_statement(name)))
    pages.add_url_rule("/brand.css", "brand", public(brand_sheet))
    return pages
