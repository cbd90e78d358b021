"""The statements that every page's foot links to, and the help page."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

STATEMENTS = ("help", "accessibility", "privacy", "cookies")


def _statement(name: str) -> Callable[[], ResponseReturnValue]:
    def view() -> ResponseReturnValue:
        return render_template(f"pages/{name}.html")

    view.__name__ = name
    view.__doc__ = f"The page ``/{name}``."
    return view


def blueprint(public: Callable[[Any], Any]) -> Blueprint:
    """The pages that anyone may read.

    Args:
        public: ``portal.access.public``, handed in because access stands above the pages' frame.
    """
    pages = Blueprint("pages", __name__)
    for name in STATEMENTS:
        pages.add_url_rule(f"/{name}", name, public(_statement(name)))
    return pages
