import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, render_template_string
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.status.rules import Status
from portal.pages.layout import assets
from portal.pages.layout.query_arguments import Page as Slice
from tests.examples import few_or_many
from tests.page_reading import H, Page
from tests.pages.layout.conftest import build

WORDS = {
    "SATISFIED": "Complete",
    "EXPIRING": "Complete (ends soon)",
    "IN_PROGRESS": "In progress",
    "NOT_STARTED": "Not started",
    "OVERDUE": "Overdue",
    "EXPIRED": "Expired",
    "EXEMPT": "Exempt",
    "DEFERRED": "Deferred",
}
NOT_REQUIRED = SimpleNamespace(name="NOT_REQUIRED", label="Not required")
STATUSES = [*Status, NOT_REQUIRED]
COUNTED = [status for status in reversed(Status) if not status.excluded]

Draw = Callable[..., Page]


def drawn(app: Flask, body: str, **values: Any) -> Page:
    """A page whose content is ``body``."""
    source = (
        f'{{% extends "layouts/base.html" %}}{{% block h1 %}}T{{% endblock %}}{{% block content %}}{body}'
    )
    with app.test_request_context():
        html = render_template_string(source + "{% endblock %}", **values)
    return Page(app.response_class(html), "drawn")  # type: ignore[arg-type]


APP = build()
TAG = "<p>{{ status_tag(status) }}</p>"
BARS = """
{{ status_bar(parts, total, "a") }}{{ status_bar(parts, total, "b") }}"""


@pytest.mark.parametrize("status", STATUSES, ids=lambda s: s.name)
def test_each_status_is_its_word_in_a_look_of_its_own(status: Any) -> None:
    page = drawn(APP, TAG, status=status)
    assert status.label in page.text
    tags = page.all("strong", class_="govuk-tag")
    if status.name == "NOT_REQUIRED":
        assert not tags
        return
    look = f"portal-tag--{status.name.lower()}"
    assert look in (tags[0].get("class") or "").split()
    style = next(assets.STATIC.glob(assets.asset("portal.css").rsplit("/", 1)[1])).read_text(encoding="utf-8")
    assert f".{look}{{" in style


def test_the_words_of_the_statuses_are_those_agreed() -> None:
    assert {status.name: status.label for status in Status} == WORDS


@settings(deadline=None, max_examples=few_or_many(10, 40))
@given(st.lists(st.integers(0, 400), min_size=6, max_size=6))
def test_a_bar_shares_its_whole_width_and_says_its_counts(counts: list[int]) -> None:
    parts = list(zip(COUNTED, counts, strict=True))
    page = drawn(APP, BARS, parts=parts, total=sum(counts))

    bars = [element for element in page.root.iter() if element.get("class") == "portal-bar"]
    assert len(bars) == (2 if sum(counts) else 0)
    for bar in bars:
        assert bar.get("viewBox") is None
        shares = [part for part in bar.iter() if part.get("class") == "portal-bar__part"]
        assert len(shares) == sum(1 for count in counts if count)
        widths = [float((share.get("width") or "").removesuffix("%")) for share in shares]
        assert sum(widths) == pytest.approx(100, abs=0.01)
    said = [" ".join("".join(li.itertext()).split()) for li in page.all("ul", class_="portal-legend")[0]]
    assert said == [f"{count} {status.label}" for status, count in parts if count]


def test_every_pattern_that_fills_is_drawn_beside_it_under_an_id_of_its_own() -> None:
    page = drawn(APP, BARS, parts=[(status, 3) for status in COUNTED], total=18)
    patterns = {e.get("id") for e in page.root.iter() if e.tag.endswith("}pattern")}
    used = set(re.findall(r"url\(#([^)]+)\)", page.html))
    assert used == patterns
    assert len(used) == 2 * 2 * 4


def test_a_list_says_where_it_stands_and_leads_on() -> None:
    body = "{{ pagination(page) }}"
    page = drawn(APP, body, page=Slice.of(39, "/people", [("unit", "R&D"), ("page", "2")], 8))
    assert "Showing 9 to 16 of 39 · Previous 8 · Next 8" in page.text
    assert page.links["Next 8"] == "/people?unit=R%26D&page=3"
    assert page.links["Previous 8"] == "/people?unit=R%26D"


def test_a_flashed_message_is_text() -> None:
    app = build({"said.html": '{% extends "layouts/base.html" %}{% block h1 %}S{% endblock %}'})

    @app.get("/said")
    def said() -> str:
        from_template = '{% extends "said.html" %}'
        app.jinja_env.globals["get_flashed_messages"] = lambda with_categories: [
            ("error", "No <b>"),
            ("message", "Sent"),
        ]
        return render_template_string(from_template)

    page = Page(app.test_client().get("/said"), "/said")
    assert "Not done No <b>" in page.text
    assert "Done Sent" in page.text


def test_the_frame_names_the_force_the_person_and_where_one_is() -> None:
    page = drawn(APP, "<p>text</p>")
    assert page.title == "T – Learning portal – Westshire Police"
    assert page.links["PC Ann O’Neil <b>"] == "/account"
    assert page.form_with("Sign out").method == "post"
    assert page.form_with("Sign out").fields["csrf_token"][0]
    current = [a for a in page.all("a") if a.get("aria-current")]
    assert ["".join(a.itertext()) for a in current] == ["Guides"]
    assert page.links["Skip to main content"] == "#main-content"
    assert page.all("main")[0].get("id") == "main-content"
    assert (
        "Original training text: not College of Policing material and not operational guidance." in page.text
    )


def test_a_desk_is_wider_and_has_its_one_breadcrumb() -> None:
    body = "{% set desk = true %}{% set parent = {'text': 'People', 'href': '/people'} %}"
    source = body + '{% extends "layouts/base.html" %}{% block h1 %}T{% endblock %}'
    with APP.test_request_context():
        page = Page(APP.response_class(render_template_string(source)), "desk")  # type: ignore[arg-type]
    assert "portal-desk" in (page.all("body")[0].get("class") or "").split()
    crumbs = page.all("nav", class_="portal-breadcrumb")
    assert len(crumbs) == 1
    assert [a.get("href") for a in crumbs[0].iter(H + "a")] == ["/people"]


@pytest.mark.parametrize("name", ["help", "cookies"])  # the others read what the force filled in
def test_the_statements_open_for_anyone(name: str) -> None:
    page = Page(APP.test_client().get(f"/{name}"), f"/{name}")
    assert page.h1 == name.capitalize()
    assert {f"/{other}" for other in ("help", "accessibility", "privacy", "cookies")} <= set(
        page.links.values()
    )
