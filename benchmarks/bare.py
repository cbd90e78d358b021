"""The floor of a page: a bare Flask view with the same reads and the same layout, and nothing else."""

import json
import os
from types import SimpleNamespace
from typing import Any

from flask import Flask, render_template
from sqlalchemy import create_engine

from portal.pages.layout import setup
from portal.platform.engines import prepare_engine
from serve import serve

PAGE = '{% extends "layouts/base.html" %}{% block h1 %}Lesson{% endblock %}{% block heading %}{% endblock %}'
PAGE += "{% block content %}{{ inner|safe }}{% endblock %}"


def create_app() -> Flask:
    """The view ``/`` repeats what the file named by ``BARE`` holds."""
    with open(os.environ["BARE"], encoding="utf-8") as file:
        kept = json.load(file)
    statements: list[tuple[str, Any]] = [(text, tuple(values)) for text, values in kept["statements"]]
    inner = kept["body"].partition('id="main-content">')[2].partition("</main>")[0]
    engine = create_engine(kept["database"])
    prepare_engine(engine)
    app = Flask(__name__, static_folder=None)
    setup.register(app)
    template = app.jinja_env.from_string(PAGE)
    frame = {
        "force_name": "Westshire Police",
        "viewer": SimpleNamespace(display_name="Priya Shah"),
        "navigation": [
            {"text": text, "href": "/learning", "current": False}
            for text in ("My learning", "Modules", "Records")
        ],
        "csrf_token": lambda: "0" * 90,
    }

    @app.get("/")
    def page() -> str:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(*statement).all()
        return render_template(template, inner=inner, **frame)

    return app


if __name__ == "__main__":  # as serve.py serves the portal
    serve("benchmarks.bare:create_app", "127.0.0.1", int(os.environ["PORT"]), factory=True)
