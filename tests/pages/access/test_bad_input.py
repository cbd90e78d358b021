"""Whatever comes in gets a page that says what to do, never a broken one, and leaves the data as it was."""

from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import Rule

from portal.domain.records.models import LessonVisit
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import let_in, make_account
from tests.pages.learning.asking import ask

pytestmark = pytest.mark.slow

BAD = (
    "\x00", "a\x00b", "\x01", "%ff%fe", "..%2f..%2fconfig.py", "é" * 300, "x" * 5000, "<script>", "{{7*7}}",
)  # fmt: skip
QUERIES = [
    f"{name}={value}"
    for name in ("q", "unit", "status", "rank", "role", "page", "sort", "as_at", "as_known_on", "next", "x")
    for value in ("%00", "%ff", "99999999999999999999", "-1", "%27%22%3Cscript%3E", "x" * 3000)
]
# A part of the values for each page, another part for the next one; all of them in the sweeps.
WHOLE = pytest.param(slice(None), id="all", marks=pytest.mark.sweep)
THIRDS = [pytest.param(slice(None, None, 3), id="a third"), WHOLE]
SIXTHS = [pytest.param(slice(None, None, 6), id="a sixth"), WHOLE]
MEGABYTE = "x" * 1024 * 1024


@pytest.fixture
def everything(client: PortalClient) -> PortalClient:
    """Somebody with every role, with a module to take and a directive that asks for it."""
    person = make_account("D9001", unit=make_unit("Response"))
    for role in Role:
        make_grant(person, role)
    make_version()
    ask("protect")
    let_in(client, "D9001")
    return client


def filled(rule: Rule, value: str) -> list[str]:
    """The rule's address with one part bad and the others as good as any."""
    good = {"slug": "protect", "key": "lesson-1", "staff_number": "D9001", "reference": "OIC-2026"}
    found = []
    for bad in sorted(rule.arguments):
        address = rule.rule
        for name in rule.arguments:
            text = value if name == bad else good.get(name, "1")
            shown = text if "%" in text else quote(text, safe="")
            for converter in ("", "uuid:", "int:", "path:"):
                address = address.replace(f"<{converter}{name}>", shown)
        found.append(address)
    return found


@pytest.mark.parametrize("part", THIRDS)
def test_no_address_breaks_a_page(app: Flask, everything: PortalClient, part: slice) -> None:
    tried = 0
    for turn, rule in enumerate(sorted(app.url_map.iter_rules(), key=str)):
        if "GET" in (rule.methods or set()) and rule.arguments and rule.endpoint != "static":
            for value in (BAD[turn % 3 :] + BAD)[: len(BAD)][part]:
                for address in filled(rule, value):
                    status = everything.get(address).status_code
                    assert status < 500, f"{status} at {address[:120]!r}"
                    tried += 1
    assert tried > 100


PATHS = (
    "/people",
    "/monitoring",
    "/monitoring/directives/OIC-2026",
    "/people/D9001",
    "/sign-in",
    "/learning",
)


@pytest.mark.parametrize("part", SIXTHS)
@pytest.mark.parametrize("path", PATHS)
def test_no_query_breaks_a_page(everything: PortalClient, path: str, part: slice) -> None:
    turn = PATHS.index(path)  # each name meets each value at one of the paths
    for query in (QUERIES[turn:] + QUERIES)[: len(QUERIES)][part]:
        response = everything.get(f"{path}?{query}")
        assert response.status_code < 500, f"{path}?{query[:80]}"
        if response.status_code < 300:
            assert "<script>" not in Page(response, path).html.split("</head>")[1].replace("<script src", "")


@pytest.mark.parametrize(
    "path",
    [
        "/learning/modules/protect/lessons/lesson-1",
        "/learning/modules/protect/assessment",
        "/account/password",
        "/people/D9001/account/grants",
        "/sign-out",
    ],
)
def test_a_field_of_a_megabyte_is_refused_and_changes_nothing(everything: PortalClient, path: str) -> None:
    token = everything.page("/account").form_with("Sign out").fields["csrf_token"][0]
    before = rows()

    response = everything.post(path, data={"csrf_token": token, "note": MEGABYTE})

    assert response.status_code == 413
    page = Page(response, path)
    assert page.h1 == "The file is too large"
    assert "larger than 768 KB, the most that this page takes." in page.text
    assert "What to do" in page.text
    assert rows() == before
    assert everything.get("/account").status_code == 200


def test_a_megabyte_is_refused_before_one_is_signed_in(client: PortalClient) -> None:
    page = client.page("/sign-in")
    token = page.form_with("Sign in").fields["csrf_token"][0]

    response = client.post("/sign-in", data={"csrf_token": token, "name": MEGABYTE, "password": "x"})

    assert response.status_code == 413


def test_a_stale_form_says_what_to_do_and_changes_nothing(everything: PortalClient) -> None:
    everything.page("/learning/modules/protect/lessons/lesson-1")
    before = rows()

    response = everything.post(
        "/learning/modules/protect/lessons/lesson-1", data={"csrf_token": "of another day"}
    )

    assert response.status_code == 400
    page = Page(response, "stale")
    assert "What to do" in page.text
    assert rows() == before


def rows() -> list[int]:
    return [db.session.scalar(select(func.count()).select_from(t)) or 0 for t in (AuditEvent, LessonVisit)]
