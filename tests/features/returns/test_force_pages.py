"""Pages of a coordinating unit: forces and keys, months asked for, and receiving a return."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.features.returns.models import ForceReturn
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from portal.platform.signing.keys import take_fingerprint
from tests.factories.people import make_grant
from tests.features.returns.making import make_content, public_key, sign
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 6, 9, tzinfo=UTC)


@pytest.fixture
def unit(client: PortalClient) -> Iterator[PortalClient]:
    """A browser of somebody who manages returns, at the coordinating unit."""
    with time_machine.travel(NOW, tick=False):
        make_grant(make_account("D4001"), Role.DIRECTIVE_OWNER)
        let_in(client, "D4001")
        yield client


def register(unit: PortalClient) -> None:
    unit.press(
        unit.page("/returns/forces/new"),
        "Save",
        key="northmere",
        name="Northmere Constabulary",
        headcount="2,000",
        from_on="1 January 2026",
    )
    page = unit.page("/returns/forces/northmere/keys/new")
    told = take_fingerprint(public_key())
    fields = {"public_key": public_key(), "from_on": "1 January 2026", "read_out": told}
    unit.press(page, "Register the key", **fields)


def load(unit: PortalClient, content: bytes, status: int = 303) -> str:
    path = "/returns/received/new"
    token = unit.page(path).form_with("Check the file").fields["csrf_token"][0]
    data = {"csrf_token": token, "file": (io.BytesIO(content), "return.json")}
    answer = unit.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_a_force_is_registered_and_its_return_received_once(unit: PortalClient) -> None:
    register(unit)
    load(unit, sign(make_content()))
    page = unit.page("/returns/forces/northmere")
    load(unit, sign(make_content()))
    again = unit.page("/returns/forces/northmere")

    assert "Return 1 of April 2026 is received." in page.text
    assert "had come before. Nothing was changed." in again.text
    assert db.session.scalar(select(func.count()).select_from(ForceReturn)) == 1
    assert unit.get("/returns/forces/northmere/returns/2026-04/1.json").data == sign(make_content())
    assert unit.get("/returns/forces/northmere/returns/2026-04/2.json").status_code == 404
    assert "Northmere Constabulary" in unit.page("/returns/forces").text


def test_a_return_that_does_not_pass_is_not_kept_and_each_check_says_what_it_found(
    unit: PortalClient,
) -> None:
    register(unit)
    document = json.loads(sign(make_content()))
    document["figures"][0]["complete"] += 1

    said = load(unit, json.dumps(document).encode(), 400)

    assert "No key that this force had on the day verifies it" in said
    assert "complete add up to 30, and the force has 31" in said
    assert db.session.scalar(select(func.count()).select_from(ForceReturn)) == 0
    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.detail["checks"]) == ("return.refused", "signature, sums")
    assert "Not checked" in load(unit, b"{}", 400)


def test_an_early_correction_says_which_return_is_missing(unit: PortalClient) -> None:
    register(unit)
    load(unit, sign(replace(make_content(), number=2, reason="Counted again.")))

    assert "Return 1 of April 2026 has not come." in unit.page("/returns/forces/northmere").text


def test_a_key_is_registered_only_with_the_fingerprint_that_the_force_read_out(unit: PortalClient) -> None:
    register(unit)
    page = unit.page("/returns/forces/northmere/keys/new")
    told = {"read_out": take_fingerprint(public_key(3)), "from_on": "1 May 2026"}
    refused = unit.press(page, "Register the key", 400, public_key=public_key(2), **told)

    assert "the key may not be the force’s" in refused.text
    end = f"/returns/forces/northmere/keys/{take_fingerprint(public_key())}/end"
    unit.press(unit.page(end), "End the key", from_on="6 May 2026")
    assert "ended on 6 May 2026" in unit.page("/returns/forces/northmere").text
    assert unit.get(end).status_code == 404
    load(unit, sign(make_content()), 400)


def test_a_force_is_restated_and_a_month_asked_for(unit: PortalClient) -> None:
    register(unit)
    page = unit.page("/returns/forces/northmere/details")
    unit.press(page, "Save", name="Northmere Police", headcount="2100", from_on="1 April 2026")
    same = unit.press(unit.page("/returns/forces/northmere/details"), "Save", 400)
    unit.press(unit.page("/returns/periods"), "Ask for returns", period="2026-04", due_on="12 May 2026")
    early = unit.press(
        unit.page("/returns/periods"), "Ask for returns", 400, period="2026-04", due_on="30 April 2026"
    )

    assert "Northmere Police" in unit.page("/returns/forces/northmere").text
    assert "Nothing would change" in same.text
    assert "12 May 2026" in unit.page("/returns/periods").text
    assert "Enter a day after the end of the month" in early.text


def test_an_address_of_a_page_is_no_short_name(unit: PortalClient) -> None:
    page = unit.page("/returns/forces/new")
    refused = unit.press(page, "Save", 400, key="new", name="New", headcount="1", from_on="1 May 2026")

    assert "Choose another short name" in refused.text


@pytest.mark.parametrize(
    "path",
    [
        "/returns/forces",
        "/returns/forces/new",
        "/returns/forces/x",
        "/returns/received/new",
        "/returns/periods",
    ],
)
def test_without_coordinator_these_pages_are_not_there(
    app: Flask, unit: PortalClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    config = app.config["PORTAL"]
    monkeypatch.setitem(app.config, "PORTAL", replace_coordinator(config))

    assert unit.get(path).status_code == 404
    assert "For the coordinating unit" not in unit.page("/returns").text


def replace_coordinator(config: object) -> object:
    from copy import copy

    changed = copy(config)
    object.__setattr__(changed, "returns", replace(config.returns, coordinator="off"))  # type: ignore[attr-defined]
    return changed
