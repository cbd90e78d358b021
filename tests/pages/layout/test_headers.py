import re
from typing import Any

import pytest
from flask import Flask, Response, redirect, render_template
from werkzeug.test import TestResponse

from portal.pages.layout import assets
from portal.pages.layout.compression import HEADERS
from tests.pages.layout.conftest import build

ALWAYS = {name for name in HEADERS if name != "Cache-Control"}


@pytest.fixture
def app() -> Flask:
    made = build()

    @made.get("/moved")
    def moved() -> Any:
        return redirect("/help")

    @made.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError

    @made.get("/drawing.svg")
    def drawing() -> Response:
        return Response(
            "<svg/>",
            mimetype="image/svg+xml",
            headers={
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "private, max-age=60",
            },
        )

    return made


def answers(app: Flask) -> dict[str, TestResponse]:
    client = app.test_client()
    opened = {
        "page": client.get("/help"),
        "file": client.get(assets.asset("portal.css")),
        "missing file": client.get("/static/nothing.css"),
        "missing page": client.get("/nothing"),
        "wrong method": client.delete("/help"),
        "trace": client.open("/help", method="TRACE"),
        "redirect": client.get("/moved"),
        "fault": client.get("/broken"),
    }
    for answer in opened.values():
        answer.close()
    return opened


@pytest.mark.parametrize("https", [True, False])
def test_every_answer_carries_the_security_headers_once(app: Flask, https: bool) -> None:
    made = build(https=https) if https else app
    for kind, answer in answers(made).items():
        for name in ALWAYS:
            assert answer.headers.getlist(name) == [HEADERS[name]], f"{kind}: {name}"
        assert ("Strict-Transport-Security" in answer.headers) == https, kind
        assert "Access-Control-Allow-Origin" not in answer.headers, kind


def test_the_answers_have_the_statuses_expected_of_them(app: Flask) -> None:
    statuses = {kind: answer.status_code for kind, answer in answers(app).items()}
    assert statuses == {
        "page": 200,
        "file": 200,
        "missing file": 404,
        "missing page": 404,
        "wrong method": 405,
        "trace": 405,
        "redirect": 302,
        "fault": 500,
    }


def test_only_files_named_by_their_content_may_be_kept(app: Flask) -> None:
    for kind, answer in answers(app).items():
        kept = answer.headers.getlist("Cache-Control")
        assert kept == (["max-age=315360000, public, immutable"] if kind == "file" else ["no-store"]), kind


def test_an_answer_may_set_a_stricter_policy_of_its_own(app: Flask) -> None:
    answer = app.test_client().get("/drawing.svg")
    assert answer.headers.getlist("Content-Security-Policy") == ["default-src 'none'; sandbox"]
    assert answer.headers.getlist("Cache-Control") == ["private, max-age=60"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert set(policy.values()) == {"'none'", "'self'"}


def test_pages_need_nothing_that_the_policy_forbids() -> None:
    app = build({"all.html": '{% extends "layouts/table_page.html" %}{% block h1 %}All{% endblock %}'})
    app.add_url_rule("/all", "all", lambda: render_template("all.html"))
    for path in ("/all", "/help", "/nothing"):
        html = app.test_client().get(path).get_data(as_text=True)
        for script in re.findall(r"<script[^>]*>", html):
            assert ' src="/static/' in script
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
        assert not re.search(r'(?:src|srcset)="https?:|<link[^>]*href="https?:', html)


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_files_are_sent_compressed_where_the_browser_can_read_it(app: Flask, coding: str) -> None:
    answer = app.test_client().get(assets.asset("portal.css"), headers={"Accept-Encoding": coding})
    answer.close()
    assert answer.headers["Content-Encoding"] == coding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert (answer.mimetype, answer.mimetype_params) == ("text/css", {"charset": "utf-8"})
