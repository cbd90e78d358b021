"""A small application that wears the portal's face and has no database."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import DictLoader

from portal.pages.layout import brand, setup
from portal.pages.statements import views as statements_views
from tests.page_reading import Page

Read = Callable[..., Page]


def build(
    templates: dict[str, str] | None = None, *, https: bool = False, brand_colour: str = brand.DEFAULT
) -> Flask:
    """The small application; ``templates`` are its own pages, by name."""
    app = Flask("small", static_folder=None)
    app.secret_key = "of a test"
    app.jinja_loader = DictLoader(templates or {})
    CSRFProtect(app)
    setup.register(app, brand_colour=brand_colour)
    app.register_blueprint(statements_views.bp)

    @app.context_processor
    def frame() -> dict[str, object]:
        entries = [
            SimpleNamespace(text=t, href=f"/{t}", current=t == "Guides") for t in ("Modules", "Guides")
        ]
        viewer = SimpleNamespace(display_name="PC Ann O’Neil <b>")
        return {
            "force_name": "Westshire Police",
            "viewer": viewer,
            "navigation": SimpleNamespace(groups=entries, ways=[]),
        }

    setup.wrap(app, https=https)
    return app


@pytest.fixture
def small() -> Flask:
    """The small application without pages of its own."""
    return build()


def read(app: Flask, path: str, status: int = 200) -> Page:
    """The page at ``path``, held to what is true of every page."""
    response = app.test_client().get(path)
    assert response.status_code == status
    return Page(response, path)
