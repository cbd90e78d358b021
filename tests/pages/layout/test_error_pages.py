import re
from typing import Any

import pytest
from flask import Flask, abort
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.layout.error_pages import PAGES, wait_words
from portal.platform import errors
from tests.page_reading import Page
from tests.pages.layout.conftest import build, read

DOMAIN = [
    (errors.NotFoundError("There is no D9999"), 404),
    (errors.ForbiddenError("Only a publisher may publish"), 403),
    (errors.ConflictError("Someone saved <this> & that first"), 409),
    (errors.RuleError("A pass cannot be changed"), 409),
    (errors.TooManyError("You tried 10 times", 61), 429),
    (errors.BadInputError(["Line 2 has no staff number", "Line 3 has no name"]), 400),
    (errors.UnknownValueError([("“x” is not a known unit.", "unit")]), 400),
    (errors.FieldError("due_on", "Enter a day that has not passed."), 409),
    (errors.BusyError(), 503),
    (errors.UnwritableError(), 503),
    (errors.UnauthorisedError("This token does not work"), 401),
    (errors.PortalError("This cannot be done"), 409),
]


def raising(error: Exception) -> Flask:
    app = build()

    @app.get("/raise")
    def view() -> str:
        raise error

    return app


@pytest.mark.parametrize("status", sorted(PAGES | {401, 415, 422, 503}))
def test_a_refusal_is_a_page_that_says_what_to_do(status: int) -> None:
    app = build()
    app.add_url_rule("/refuse", "refuse", lambda: abort(status))

    page = read(app, "/refuse", status)

    assert "What to do" in page.text
    # Nobody has saved anything at an address where there is nothing.
    assert ("What you had saved before is kept." in page.text) == (status != 404)
    assert re.search(r"give this reference: [0-9A-Z]{4}-[0-9A-Z]{4}", page.text)


@pytest.mark.parametrize(("error", "status"), DOMAIN)
def test_an_error_of_the_domain_is_told_in_its_own_words(error: Exception, status: int) -> None:
    page = read(raising(error), "/raise", status)
    for sentence in str(error).split("\n"):
        # A 404 never tells what was asked for, because that might tell that it exists.
        assert (sentence in page.text) == (status != 404)


def test_every_kind_of_domain_error_is_tried_here() -> None:
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.PortalError)
    }
    assert {type(error) for error, _ in DOMAIN} == kinds


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    response = raising(DOMAIN[4][0]).test_client().get("/raise")
    assert response.headers["Retry-After"] == "61"
    assert "Wait 2 minutes, then try again." in Page(response, "/raise").text


@given(st.integers(1, 10**6))
def test_the_wait_that_is_told_is_never_too_short(seconds: int) -> None:
    units = {"second": 1, "minute": 60, "hour": 3600}
    parts = re.findall(r"([\d,]+) (second|minute|hour)s?", wait_words(seconds))
    told = sum(int(n.replace(",", "")) * units[unit] for n, unit in parts)
    assert seconds <= told < seconds + 60


def test_a_wrong_method_is_told_which_ones_are_right() -> None:
    response = build().test_client().post("/help", data={})
    assert response.status_code == 405
    assert {word.strip() for word in response.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
    assert Page(response, "/help").h1 == "This page cannot do that"


def test_a_fault_shows_neither_stack_nor_words_of_the_fault() -> None:
    page = read(raising(ValueError("secret detail")), "/raise", 500)
    assert page.h1 == "Sorry, there is a problem"
    assert "secret detail" not in page.html
    assert "Traceback" not in page.html


def test_a_fault_is_told_even_when_the_frame_cannot_be_drawn() -> None:
    app = raising(ValueError("secret detail"))

    @app.context_processor
    def broken() -> dict[str, Any]:
        raise ConnectionError("no database")

    page = read(app, "/raise", 500)

    assert page.h1 == "Sorry, there is a problem"
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", page.text)
    assert "no database" not in page.html


def test_a_redirect_is_not_an_error() -> None:
    app = build()
    app.add_url_rule("/folder/", "folder", lambda: "in")
    response = app.test_client().get("/folder")
    assert response.status_code == 308
