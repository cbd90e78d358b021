"""The list of requests: whose it shows, its filters and pages, and that it asks no more for more."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.decisions import services
from portal.domain.decisions.models import DecisionRequest
from portal.domain.decisions.requests import ChangeRequest
from portal.domain.people.models import FactNote
from portal.domain.people.services import erase_notes
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import make_account
from tests.pages.decisions.desk import TODAY, count_rows
from tests.pages.monitoring.counting import statements

pytestmark = pytest.mark.slow


def ask_many(desk, number: int) -> None:
    """Requests about so many people of the unit, by the sergeant."""
    for n in range(number):
        person = make_person(desk.unit, surname=f"Zed{n:02}")
        wish = ChangeRequest("exemption", person, "other", desk.directive, from_on=TODAY + timedelta(n))
        with transaction():
            services.submit_request(wish, {"comment": "x"}, by=desk.people["D2001"], at=stamp())


def test_more_requests_make_more_pages_and_no_more_statements(desk):
    owner = desk.browser_of("D4001")
    ask_many(desk, 2)
    pages = ("/decisions", "/people/D1001", "/records/decisions", "/monitoring")
    for path in pages:
        owner.page(path)  # what a process keeps is read by then
    few = [count_statements(owner, path) for path in pages]
    ask_many(desk, 28)
    many = [count_statements(owner, path) for path in pages]

    assert few == many
    first = owner.page("/decisions?whose=decide&kind=exemption")
    assert first.h1 == "30 requests wait for you"
    assert len(first.all("th", scope="row")) == 25
    second = owner.page(first.links["Next 5"])
    assert "kind=exemption" in first.links["Next 5"]
    assert len(second.all("th", scope="row")) == 5


def count_statements(client, path: str) -> int:
    with statements() as run:
        client.page(path)
    return len(run)


def test_a_request_costs_the_same_whatever_it_is_about(desk):
    owner = desk.browser_of("D4001")
    desk.ask_for_exemption()
    address = desk.path_of_waiting_request()
    owner.get(address)  # the first look of the day is recorded
    few = count_statements(owner, address)
    ask_many(desk, 10)

    assert count_statements(owner, address) == few


def test_filters_narrow_by_state_and_kind(desk):
    desk.ask_for_exemption()
    desk.decide("Refuse", comment="No.")
    desk.ask("deferral", about="OIC-2026", from_on="1/7/2026", to_on="31/7/2026", reason="leaving")
    manager, owner = desk.browser_of("D2001"), desk.browser_of("D4001")

    def listed(client, query: str) -> list[str]:
        page = client.page(f"/decisions{query}")
        return [words for words in page.links if words.endswith("for Priya Shah")]

    both = ["Deferral under OIC-2026 for Priya Shah", "Exemption from OIC-2026 for Priya Shah"]
    assert listed(manager, "") == both
    assert listed(manager, "?state=refused") == both[1:]
    assert listed(manager, "?state=waiting") == both[:1]
    assert listed(manager, "?kind=exemption") == both[1:]
    assert listed(manager, "?kind=waiver") == []
    assert manager.page("/decisions?state=nonsense&kind=nonsense&whose=all", 400).title.startswith("Error: ")
    assert listed(owner, "") == both[:1]
    assert listed(owner, "?whose=all") == both
    assert listed(owner, "?whose=asked") == []


def test_who_may_see_a_request(desk):
    desk.ask_for_exemption()
    address = desk.path_of_waiting_request()
    desk.people["D2002"] = make_person(desk.unit, staff_number="D2002")
    desk.people["D4003"] = make_person(make_unit("Elsewhere"), staff_number="D4003")
    make_grant(desk.people["D2002"], "manager", desk.unit)
    make_grant(desk.people["D4003"], "directive-owner", make_unit("Further away"))

    for number in ("D2002", "D4003"):  # another manager of the unit; an owner of another unit
        client = desk.browser_of(number)
        client.page(address, status=404)
        assert address not in client.page("/decisions").links.values()
    desk.browser_of("D1001").page(address, status=403)
    assert "Exemption" not in desk.browser_of("D1001").page("/learning").text
    assert desk.browser_of("D2002").page("/people/D1001").links.get("Exemption from OIC-2026") is None


def test_a_manager_asks_only_about_whom_they_see(desk):
    make_account("D1009")
    for kind in ("exemption", "deferral", "waiver", "revocation", "lift", "restore"):
        desk.browser_of("D2001").page(f"/people/D1009/ask/{kind}", status=404)
    desk.browser_of("D2001").page("/people/D1001/ask/pardon", status=404)
    desk.browser_of("D1001").page("/people/D1002/ask/exemption", status=403)


def test_texts_of_a_request_can_be_erased(desk):
    desk.ask_for_exemption(comment="Seconded")
    request = db.session.scalars(select(DecisionRequest)).one()
    person = desk.people["D1001"]
    with transaction():
        erase_notes("decision_request", [request.id], actor_id=None, subject_id=person)

    assert count_rows(FactNote) == 0
    assert "Seconded" not in desk.browser_of("D4001").page(desk.path_of_waiting_request()).text


NOTHING = [
    ("waiver", "No directive applies to them today."),
    ("revocation", "They have no record that counts."),
    ("lift", "No exemption or deferral is recorded."),
    ("restore", "They have no record that has stopped counting."),
]


def test_where_there_is_nothing_to_ask_for_the_page_says_so(desk):
    """Of somebody without a post, as one who has left."""
    make_person(staff_number="L1")
    for kind, said in NOTHING:
        page = desk.browser_of("D4001").page(f"/people/L1/ask/{kind}")
        assert f"You cannot ask for this. {said}" in page.text
