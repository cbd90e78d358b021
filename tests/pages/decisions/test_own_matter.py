"""A directive owner neither reads nor decides what somebody else asks about them."""

import re

import pytest

from portal.domain.accounts import services
from portal.domain.decisions.models import Decision
from portal.platform import clock
from portal.platform.db import transaction
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.decisions.desk import Desk, count_rows

SECRET = "Has asked to be left alone by the sergeant"


@pytest.fixture
def owner(desk: Desk) -> PortalClient:
    """D1001, who is a directive owner of the whole force, and about whom D2001 has asked."""
    make_grant(desk.people["D1001"], "directive-owner")
    assert "The request is sent" in desk.ask_for_exemption(comment=SECRET).text
    return desk.browser_of("D1001")


@pytest.mark.slow
def test_the_subject_reads_the_comment_nowhere(desk: Desk, owner: PortalClient) -> None:
    address = desk.path_of_waiting_request()
    assert SECRET in desk.browser_of("D4001").page(address).text

    owner.page(address, 404)
    seen = {address, "/decisions?whose=all", "/decisions?whose=asked", "/monitoring", "/people/D1001"}
    seen |= {"/records/decisions", "/records", "/learning", "/account", "/reminders", "/reminders/preview"}
    for path in seen - {address}:
        page = owner.page(path)
        assert SECRET not in page.html, path
        assert address not in page.links.values(), path
    for form in ("csv", "xlsx", "json", "pdf"):
        answer = owner.get(f"/monitoring/directives/OIC-2026/completions.{form}")
        assert answer.status_code == 200
        assert SECRET.encode() not in answer.data
    assert "Exemption from OIC-2026" in owner.page("/records/decisions").text  # that, they are told


@pytest.mark.slow
def test_the_subject_decides_nothing_and_another_owner_does(desk: Desk, owner: PortalClient) -> None:
    address = desk.path_of_waiting_request()
    assert owner.page("/decisions").h1 == "No request waits for you"
    form = desk.browser_of("D4001").page(address).form_with("Grant").fields
    token = owner.page("/decisions").form_with("Sign out").fields["csrf_token"]
    for button in ("grant", "refuse", "preview"):
        sent = {**form, "csrf_token": token, "comment": "Yes", button: "y"}
        answer = owner.post(f"{address}/decision", data=sent)
        assert answer.status_code == 404
        assert SECRET not in answer.get_data(as_text=True)
    assert count_rows(Decision) == 0

    assert "Granted by" in desk.decide("Grant", "D4002").text
    owner.page(address, 404)


def test_what_is_asked_for_oneself_is_ones_own(desk: Desk) -> None:
    make_grant(desk.people["D1001"], "directive-owner")
    page = desk.ask_for_exemption("D1001", comment=SECRET)

    assert SECRET in page.text
    assert "This request is about you. Someone else must decide it." in page.text


def test_who_asked_is_told_where_nobody_is_left_to_decide(desk: Desk, owner: PortalClient) -> None:
    asker = desk.browser_of("D2001")
    links = asker.page("/decisions?whose=asked").links
    address = next(href for words, href in links.items() if re.match("Exemption", words))
    said = "Nobody can decide this now"
    assert said not in asker.page(address).text
    for number in ("D4001", "D4002"):
        with transaction():
            services.close_account(desk.people[number], by=None, at=clock.now())

    assert said in asker.page(address).text
    with transaction():
        services.reopen_account(desk.people["D4002"], by=None)
    assert said not in asker.page(address).text
