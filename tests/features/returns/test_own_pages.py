"""A force's own returns on its pages: made, signed, downloaded, and beside the anonymous rest."""

import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.domain.directives.models import Directive
from portal.features.returns.comparisons import COMPARISON_FORMAT
from portal.features.returns.content import DEFINITIONS
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from portal.platform.signing.documents import is_genuine, sign_document
from portal.platform.signing.keys import load_private_key, make_key_file, write_public_key
from tests.domain.status.facts import add, make_activity, make_module_version, make_version
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.monitoring.world import TODAY, enter, make_world

SHARES = [12, 20, 25, 33, 40, 50, 50, 60, 75, 90]


@pytest.fixture
def now() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def key(app: Flask) -> Iterator[Path]:
    path = Path(app.instance_path) / "return-key.pem"
    make_key_file(path)
    yield path
    path.unlink()


def enter_as(client: PortalClient, role: str = Role.DIRECTIVE_OWNER) -> PortalClient:
    world = make_world()
    person = world.person("D4001", "force", surname="Hart", forenames="June", role="policy")
    make_grant(person, role)
    return enter(client, world, "D4001")


def make(client: PortalClient, status: int = 200, **fields: str) -> Page:
    return client.press(
        client.page("/returns/new"), "Make the return", status, **{"directive": "OIC-2026", **fields}
    )


def load(client: PortalClient, path: str, content: bytes, status: int = 303) -> str:
    token = client.page(path).form_with("Check the file").fields["csrf_token"][0]
    data = {"csrf_token": token, "file": (io.BytesIO(content), "file.json")}
    answer = client.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_a_return_is_made_downloaded_and_genuine(client: PortalClient, now: None, key: Path) -> None:
    enter_as(client)
    page = make(client, period="2026-04")

    assert "Return 1 of April 2026 is made." in page.text
    answer = client.get("/returns/made/2026-04/1.json")
    document = json.loads(answer.data)
    assert answer.headers["Content-Disposition"].endswith("westshire-police-return-2026-04-1.json")
    assert is_genuine(document, write_public_key(load_private_key(key)))
    assert document["figures"][0] == {
        "requirement": "", "grouping": "force", "group": "", "assigned": 6, "excluded": 1, "complete": 2,
    }  # fmt: skip
    acts = db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert acts[-2:] == ["return.made", "return.downloaded"]


def test_the_last_ended_month_is_offered_and_a_second_return_says_why(
    client: PortalClient, now: None, key: Path
) -> None:
    enter_as(client)
    assert client.page("/returns/new").form_with("Make the return").fields["period"] == ["2026-05"]
    make(client, period="2026-04")
    again = make(client, 400, period="2026-04")
    ahead = make(client, 400, period="2026-06")
    few = make(client, 400, period="2026-03", hide_small="y")

    assert "Nothing has changed since return 1 of April 2026" in again.text
    assert "2026-06 has not ended" in ahead.text
    assert "So few people" in few.text


def test_the_first_return_on_a_second_directive_is_no_correction_of_the_other(
    client: PortalClient, now: None, key: Path
) -> None:
    enter_as(client)
    make(client, period="2026-04")
    assert "OIC-2026" not in client.page("/returns").text
    add_second_directive()

    page = make(client, period="2026-04", directive="OIC-HYDRA-2026")

    assert "Return 1 of April 2026 is made." in page.text
    rows = [page_words(row) for row in page.all("tr")][1:]
    assert rows == [
        "April 2026, return 1 OIC-2026 First 1 June 2026",
        "April 2026, return 1 OIC-HYDRA-2026 First 1 June 2026",
    ]
    files = [json.loads(client.get(f"/returns/made/2026-04/{place}.json").data) for place in (1, 2)]
    assert [(file["directive"]["reference"], file["number"], file["reason"]) for file in files] == [
        ("OIC-2026", 1, ""),
        ("OIC-HYDRA-2026", 1, ""),
    ]


def add_second_directive() -> None:
    activity = make_activity()
    make_module_version(activity)
    make_version(add(Directive(reference="OIC-HYDRA-2026")), {1: activity}, effective_on=date(2026, 1, 1))


def test_a_comparison_stands_beside_the_return_with_its_requirements(
    client: PortalClient, now: None, key: Path
) -> None:
    enter_as(client)
    make(client, period="2026-04")
    (*_, named) = json.loads(client.get("/returns/made/2026-04/1.json").data)["requirements"]
    add_second_directive()
    make(client, period="2026-04", directive="OIC-HYDRA-2026")
    rows = [
        {"key": reference, "title": title, "complete": 450, "counted": 1000, "shares": SHARES}
        for reference, title in (("", "The whole directive"), (named["key"], named["title"]))
    ]
    load(client, "/returns/comparisons/new", write_comparison(key, requirements=rows))
    assert "40% (2 of 5)" in client.page("/returns/comparisons/2026-04").text

    load(client, "/returns/comparisons/new", write_comparison(key))  # it does not say which of the two
    unknown = client.page("/returns/comparisons/2026-04").text

    assert "made no return for this month on the same requirements" in unknown
    assert "40% (2 of 5)" not in unknown


def test_without_a_key_no_return_is_made(client: PortalClient, now: None) -> None:
    enter_as(client)

    assert "no key to sign with" in make(client, 400, period="2026-04").text
    assert "An operator makes one with" in client.page("/returns").text


def test_an_auditor_reads_returns_and_makes_none(client: PortalClient, now: None, key: Path) -> None:
    enter_as(client, Role.AUDITOR)

    page = client.page("/returns")
    assert "Make a return" not in page.text
    assert client.get("/returns/new").status_code == 403
    assert client.get("/returns/made/2026-04/1.json").status_code == 404


def write_comparison(key: Path, **changes: object) -> bytes:
    document = {
        "format": COMPARISON_FORMAT,
        "period": "2026-04",
        "as_at": "2026-05-20",
        "as_known_on": "2026-05-20T08:00:00Z",
        "asked": 12,
        "returned": 10,
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in DEFINITIONS],
        "requirements": [
            {"key": "", "title": "The whole directive", "complete": 450, "counted": 1000, "shares": SHARES}
        ],
    }
    return sign_document({**document, **changes}, load_private_key(key))


def test_a_force_sees_itself_beside_the_anonymous_rest(client: PortalClient, now: None, key: Path) -> None:
    enter_as(client)
    make(client, period="2026-04")
    load(client, "/returns/comparisons/new", write_comparison(key))

    page = client.page("/returns/comparisons/2026-04")

    assert "40% (2 of 5)" in page.text
    assert "10 of 12 forces had sent a return" in page.text
    assert "25% to 60%, half below 50%" in page.text
    (row,) = [row for row in page.all("tr") if "The whole directive" in page_words(row)]
    assert "4 5" in page_words(row)  # four lower, five higher: its own share is neither


def page_words(row: object) -> str:
    from tests.page_reading import words

    return " ".join(words(row).split())  # type: ignore[arg-type]


def test_a_comparison_that_another_signed_is_refused(
    client: PortalClient, now: None, key: Path, tmp_path: Path
) -> None:
    enter_as(client)
    other = tmp_path / "other.pem"
    make_key_file(other)

    said = load(client, "/returns/comparisons/new", write_comparison(other), 400)

    assert "did not sign this file" in said
    assert client.get("/returns/comparisons/2026-04").status_code == 404


def test_the_schema_is_public(client: PortalClient) -> None:
    answer = client.get("/returns/schema.json")

    assert answer.mimetype == "application/schema+json"
    assert json.loads(answer.data)["properties"]["format"] == {"const": "oic-return/1"}
