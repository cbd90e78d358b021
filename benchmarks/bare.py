"""The floors of a lesson's page: Flask views with the portal's layout and next to nothing else.

``/`` is bare: the same statements straight on the driver, the page's text in the base template. ``/lesson``
is what a good engineer would write: a SQLAlchemy session, two rows by their keys, the base template and two
macros. ``/first`` also writes one row durably, as a first view must; ``/complete`` writes one and leads on.
"""

import json
import os
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from flask import Flask, redirect, render_template
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from portal.domain.accounts.models import SignInSession
from portal.domain.catalogue.models import Lesson
from portal.pages.layout import setup
from portal.platform.engines import prepare_engine
from serve import serve

PAGE = '{% extends "layouts/base.html" %}{% block h1 %}Lesson{% endblock %}{% block heading %}{% endblock %}'
PAGE += "{% block content %}{{ inner|safe }}{% endblock %}"
LESSON = """{% extends "layouts/base.html" %}
{% block h1 %}{{ lesson.title }}{% endblock %}
{% block content %}
  {{ progress_bar(lesson.position - 1, 6, "Lesson " ~ lesson.position ~ " of 6") }}
  <div class="portal-prose">{{ lesson.html|safe }}</div>
  {{ next_step("Mark as complete and continue", "/complete", lesson.minutes ~ " minutes") }}
{% endblock %}"""
VISITS = (
    "CREATE TABLE IF NOT EXISTS bench_visit (id INTEGER PRIMARY KEY, recorded_at, token, lesson_id, kind)"
)
VISIT = text(
    "INSERT INTO bench_visit (recorded_at, token, lesson_id, kind) VALUES (:at, :token, :lesson, :kind)"
)


def create_app() -> Flask:
    """The views, over what the file named by ``BARE`` holds."""
    with open(os.environ["BARE"], encoding="utf-8") as file:
        kept = json.load(file)
    engine = create_engine(kept["database"])
    prepare_engine(engine)
    app = Flask(__name__, static_folder=None)
    setup.register(app)
    frame = {
        "force_name": "Westshire Police",
        "viewer": SimpleNamespace(display_name="Priya Shah"),
        "navigation": [
            {"text": text, "href": "/learning", "current": False}
            for text in ("My learning", "Modules", "Records")
        ],
        "csrf_token": lambda: "0" * 90,
    }
    _add_bare(app, engine, kept, frame)
    _add_engineers(app, engine, kept, frame)
    return app


def _add_bare(app: Flask, engine: Engine, kept: dict[str, Any], frame: dict[str, Any]) -> None:
    statements: list[tuple[str, Any]] = [(text, tuple(values)) for text, values in kept["statements"]]
    inner = kept["body"].partition('id="main-content">')[2].partition("</main>")[0]
    template = app.jinja_env.from_string(PAGE)

    @app.get("/")
    def page() -> str:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(*statement).all()
        return render_template(template, inner=inner, **frame)


def _add_engineers(app: Flask, engine: Engine, kept: dict[str, Any], frame: dict[str, Any]) -> None:
    template = app.jinja_env.from_string(LESSON)
    token, lesson_id = kept["token"], int(kept["lesson"])
    writing = engine.execution_options(portal_writes=True)
    with writing.begin() as connection:
        connection.exec_driver_sql(VISITS)

    def read() -> str:
        with Session(engine) as session:
            signed_in, lesson = session.get(SignInSession, token), session.get(Lesson, lesson_id)
            if signed_in is None or lesson is None:
                raise RuntimeError("The database has neither this session nor this lesson.")
            return render_template(template, lesson=lesson, **frame)

    def write(kind: str) -> None:
        with writing.begin() as connection:
            values = {"at": str(datetime.now(UTC)), "token": token, "lesson": lesson_id, "kind": kind}
            connection.execute(VISIT, values)

    @app.get("/lesson")
    def show_lesson() -> str:
        return read()

    @app.get("/first")
    def show_first() -> str:
        write("opened")
        return read()

    @app.post("/complete")
    def complete() -> Any:
        write("completed")
        return redirect("/lesson", 303)


if __name__ == "__main__":  # as serve.py serves the portal
    serve("benchmarks.bare:create_app", "127.0.0.1", int(os.environ["PORT"]), factory=True)
