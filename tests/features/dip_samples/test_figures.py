"""What the counts show: by month and by unit, beside completion, for a supervisor and for the whole force."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask

from tests.factories.people import make_grant, make_person, make_unit
from tests.features.dip_samples.factories import APRIL, few, make_sample
from tests.features.events.test_queries import count_statements
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import another, let_in, make_account

NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
MARCH = date(2026, 3, 1)
ADDRESS = "/dip-samples/figures"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def units(client: PortalClient, database: None) -> dict[str, int]:
    """Four teams of which one is low, one has few documents, and one left April out."""
    by = make_account("D4001")
    make_grant(by, "directive-owner")
    found = {name: make_unit(name) for name in ("Team A", "Team B", "Team C", "Team D")}
    for month in (MARCH, APRIL):
        make_sample(found["Team A"], by, month, few(38, 40))
        make_sample(found["Team B"], by, month, few(20, 40))
    make_sample(found["Team C"], by, APRIL, few(0, 3))
    make_sample(found["Team D"], by, MARCH, few(30, 30), "")
    let_in(client, "D4001")
    return found


def lines_of(page: Page) -> dict[str, list[str]]:
    """The cells of the table of units, by unit."""
    rows = [row for row in page.all("tr") if "Add an action" in words(row)]
    return {words(row).split(" Add")[0]: [words(cell) for cell in row[1:]] for row in rows}


def test_each_unit_has_its_share_its_interval_and_how_it_stands(
    client: PortalClient, units: dict[str, int]
) -> None:
    page = client.page(ADDRESS)
    lines = lines_of(page)

    assert "146 of 193 (75%)" in page.text
    assert lines["Team A"][:3] == [
        "76 of 80 (95%)",
        "87% to 99%",
        "Much higher than chance explains (1 in 500)",
    ]
    assert lines["Team B"][2] == "Much lower than chance explains (1 in 500)"
    assert lines["Team C"][:3] == ["0 of 3 (0%)", "0% to 57%", "Too few to say"]
    assert lines["Team D"][3] == "1"  # April is missing


def test_the_drawings_have_words_and_the_same_numbers_as_a_table(
    client: PortalClient, units: dict[str, int]
) -> None:
    page = client.page(ADDRESS)
    told = [words(element) for element in page.root.iter() if element.tag.endswith("desc")]

    assert told[0].startswith("From 80% (88 of 110) in March 2026 to 69% (58 of 83) in April 2026.")
    assert told[1].startswith("4 units by number of documents and share. All together: 75%. Outside")
    assert "58 of 83 (69%)" in page.text


def test_a_unit_leads_to_a_new_action_with_unit_and_measure_filled_in(
    client: PortalClient, units: dict[str, int]
) -> None:
    link = next(href for text, href in client.page(ADDRESS).links.items() if text.endswith("about Team B"))

    assert link == "/assurance/intelligence-documents/actions/new?title=Team+B%3A+documents+submitted"
    past = client.page(f"{ADDRESS}?as_at=2026-05-01")
    assert "Add an action" not in past.text


def test_a_supervisor_sees_their_own_unit_and_the_checklist_but_opens_no_action(
    app: Flask, units: dict[str, int]
) -> None:
    make_grant(make_account("D2001", unit=units["Team B"]), "manager", units["Team B"])
    supervisor = another(app)
    let_in(supervisor, "D2001")

    page = supervisor.page(ADDRESS)

    assert "Team A" not in page.text
    assert "40 of 80 (50%)" in page.text
    assert page.links["Go through the checklist with your team"] == "/guides/intelligence-document"
    assert "Add an action" not in page.text


def test_more_units_need_no_more_statements(client: PortalClient, units: dict[str, int]) -> None:
    client.page(ADDRESS)
    few_units = count_statements(lambda: client.get(ADDRESS))
    by = make_person()
    for number in range(12):
        make_sample(make_unit(f"Shift {number}"), by, APRIL, few(3, 4))

    assert count_statements(lambda: client.get(ADDRESS)) == few_units
