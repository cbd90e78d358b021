"""A supervisor records the counts of a unit and a month on a page, and corrects them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.features.dip_samples.models import DipSample
from portal.features.dip_samples.queries import find_sample
from portal.platform.db import db
from tests.factories.people import make_grant, make_person, make_unit
from tests.features.dip_samples.factories import APRIL, make_sample
from tests.page_reading import H, Page, PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
FILLED = {
    "reported": "12", "submitted": "9", "on_time": "8", "sampled": "5", "complete": "4", "graded": "5",
    "returned": "1", "reason": "no_time",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team(client: PortalClient, database: None) -> int:
    """Team A, whose supervisor is signed in: the grant is for direct reports alone."""
    unit = make_unit("Team A")
    sergeant = make_account("D2001", unit=unit)
    make_grant(sergeant, "manager")
    make_person(unit, manager=sergeant)
    let_in(client, "D2001")
    return unit


def chosen(page: Page) -> dict[str, str]:
    """What the lists of the form have chosen, as a browser would send it."""
    options = [(select, option) for select in page.all("select") for option in select.iter(f"{H}option")]
    first = {select.get("name") or "": option.get("value") or "" for select, option in reversed(options)}
    marked = {s.get("name") or "": o.get("value") or "" for s, o in options if o.get("selected") is not None}
    return {**first, **marked}


def record(client: PortalClient, status: int = 200, **fields: str) -> Page:
    return send(client, client.page("/dip-samples/record"), status, **{**FILLED, **fields})


def send(client: PortalClient, page: Page, status: int = 200, **fields: str) -> Page:
    return client.press(page, "Save the counts", status, **{**chosen(page), **fields})


def test_a_supervisor_records_last_month_of_the_only_unit_without_choosing_it(
    client: PortalClient, team: int
) -> None:
    page = record(client)

    sample = find_sample(team, APRIL)
    assert sample is not None
    assert (sample.reported, sample.submitted, sample.returned, sample.reason) == (12, 9, 1, "no_time")
    assert page.h1 == "Dip sample of April 2026"
    assert "Team A Dip sample of April 2026" in page.text
    assert "The counts are saved." in page.text
    labels = [link.get("aria-label") for link in client.page("/dip-samples").all("a")]
    assert "9 of 12 in Team A, April 2026" in labels


def test_the_form_says_no_case_details_and_has_no_field_for_text(client: PortalClient, team: int) -> None:
    page = client.page("/dip-samples/record")

    assert "No case details" in page.text
    assert not page.all("textarea")
    assert {field.get("inputmode") for field in page.all("input", type="text")} == {"numeric"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"submitted": "13"}, "Documents submitted (13) cannot be more than cases reported to NCCU (12)."),
        ({"complete": "6"}, "Documents complete (6) cannot be more than documents read (5)."),
        ({"reported": "two"}, "Enter a whole number from 0 to 9,999"),
        ({"reason": ""}, "Choose why documents are missing."),
        ({"submitted": "12"}, "No document is missing, so leave out why one is."),
    ],
)
def test_counts_that_cannot_be_true_are_refused_in_a_sentence(
    client: PortalClient, team: int, fields: dict[str, str], sentence: str
) -> None:
    page = record(client, 400, **fields)

    assert sentence in page.text
    assert db.session.scalars(select(DipSample)).all() == []


def test_a_month_that_has_not_begun_is_not_offered(client: PortalClient, team: int) -> None:
    page = client.page("/dip-samples/record?month=2026-06")
    page = send(client, page, 400, **FILLED)

    assert "This month has not begun. Choose an earlier one." in page.text


def test_a_correction_is_a_new_fact_with_a_reason_beside_the_old_one(client: PortalClient, team: int) -> None:
    record(client)
    form = client.page(f"/dip-samples/{team}/2026-04").links["Correct the counts"]
    page = send(client, client.page(form), submitted="11", reason="came_later")

    rows = db.session.scalars(select(DipSample).order_by(DipSample.id)).all()
    assert [(row.submitted, row.reason) for row in rows] == [(9, "no_time"), (11, "came_later")]
    assert rows[1].replaces_id == rows[0].id
    assert "Documents came in after the count" in page.text
    assert "11 of 12" in client.page("/dip-samples").text


def test_a_second_first_count_of_a_month_is_refused(client: PortalClient, team: int) -> None:
    opened = client.page("/dip-samples/record")
    make_sample(team, make_person())

    page = send(client, opened, 400, **{**FILLED, "submitted": "10"})

    assert "Somebody else has recorded this unit and month meanwhile." in page.text


def test_withdrawn_counts_no_longer_count_and_stay_in_the_history(client: PortalClient, team: int) -> None:
    record(client)
    page = client.press(client.page(f"/dip-samples/{team}/2026-04"), "Withdraw the counts")

    assert find_sample(team, APRIL) is None
    assert "Withdrawn" in page.text
    assert "9 of 12" not in client.page("/dip-samples").text


def test_a_supervisor_records_for_no_unit_but_their_own(client: PortalClient, team: int) -> None:
    other = make_unit("Team B")
    make_sample(other, make_person())

    record(client, 400, unit=str(other))
    client.page(f"/dip-samples/{other}/2026-04", 404)
    client.open(f"/dip-samples/{other}/2026-04/withdraw", method="POST")

    assert "Team B" not in client.page("/dip-samples").text
    sample = find_sample(other, APRIL)
    assert sample is not None
    assert not sample.void


def test_a_count_entered_late_was_not_known_then(client: PortalClient, team: int) -> None:
    record(client)

    then = client.page("/dip-samples?as_at=2026-04-30&as_known_on=2026-05-01T00:00:00Z")
    now = client.page("/dip-samples?as_at=2026-04-30")

    assert "9 of 12" not in then.text
    assert "9 of 12" in now.text
    assert "Record a dip sample" not in now.links


def test_a_month_that_a_unit_left_out_is_missing_and_leads_to_its_form(
    client: PortalClient, team: int
) -> None:
    make_sample(team, make_person(), date(2026, 2, 1))
    make_sample(team, make_person(), date(2026, 3, 1))

    page = client.page("/dip-samples")
    form = client.page(page.links["Missing"])

    assert "1 sample is missing" in page.text
    assert chosen(form)["month"] == "2026-04"
