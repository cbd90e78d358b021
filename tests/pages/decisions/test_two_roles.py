"""Somebody with two roles decides only about those whom the role that decides gives them sight of."""

import pytest

from portal.domain.decisions.models import Decision
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.decisions.desk import BUTTONS, Desk, count_rows

pytestmark = pytest.mark.slow


@pytest.fixture
def both(desk: Desk) -> PortalClient:
    """An owner of another unit, who sees everybody as an auditor; a request about D1001 waits."""
    desk.ask_for_exemption()
    desk.people["D4009"] = make_person(make_unit("Elsewhere"), staff_number="D4009")
    make_grant(desk.people["D4009"], "directive-owner", make_unit("Further away"))
    make_grant(desk.people["D4009"], "auditor")
    return desk.browser_of("D4009")


def test_a_request_that_another_role_sees_is_neither_shown_nor_decided(
    desk: Desk, both: PortalClient
) -> None:
    address = desk.path_of_waiting_request()
    form = desk.browser_of("D4001").page(address).form_with("Grant").fields

    assert address not in both.page("/decisions?whose=all").links.values()
    both.page(address, status=404)
    token = both.page("/decisions").forms()[0].fields["csrf_token"]
    data = {**form, "csrf_token": token, BUTTONS["Grant"]: "y"}
    assert both.post(f"{address}/decision", data=data).status_code == 404
    assert count_rows(Decision) == 0
    assert address not in both.page("/people/D1001").links.values()


def test_nothing_is_asked_about_whom_an_auditor_alone_sees(both: PortalClient) -> None:
    both.page("/people/D1001")
    both.page("/people/D1001/ask/exemption", status=404)


def test_what_one_asked_for_as_a_manager_is_decided_by_another(desk: Desk, both: PortalClient) -> None:
    make_grant(desk.people["D4009"], "manager", desk.unit)
    desk.decide("Refuse", comment="Ask again.")
    page = desk.ask_for_exemption("D4009")

    assert "The request is sent" in page.text
    assert "Grant" not in [button for form in page.forms() for button in form.buttons]


def test_pages_say_that_who_has_the_role_for_the_unit_decides(desk: Desk) -> None:
    asking = desk.browser_of("D2001").page("/people/D1001/ask/exemption")
    sent = desk.ask_for_exemption()

    assert "A directive owner for their unit decides." in asking.text
    assert "in their units decides. You will find the answer here." in sent.text
    assert "directive's owner" not in asking.text + sent.text
