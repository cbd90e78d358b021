"""Open sessions at one place: whose, in which browser, where, how and since when."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from portal.domain.accounts import services
from portal.platform import clock
from portal.platform.db import transaction
from tests.factories.people import make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import (
    make_account,
    sign_in,
    signed_in,
)
from tests.pages.people.signing_in import (
    END,
    SESSIONS,
    boxes,
    browser_with,
    count_statements,
    ended_by_subject,
    make_people,
    numbers_in,
    open_session,
    reference_of,
    set_settings,
    signed_in_administrator,
    table_rows,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SELECTED = "Continue with those selected"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_the_list_says_who_where_how_and_since_when(
    app: Flask, client: PortalClient, frozen: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(app, monkeypatch, network_names="10.1.0.0/16=Westshire headquarters")
    person = make_people("P1")["P1"]
    open_session(person, "Edge on Windows", "10.1.2.3", method="oidc", at=NOW)
    frozen.shift(timedelta(minutes=20))
    signed_in_administrator(client)

    page = client.page(SESSIONS)

    assert page.h1 == "2 open sessions"
    assert "2 sessions of 2 people" in page.text
    own, row = table_rows(page)
    assert own[-1] == "This browser"
    assert row[2:] == [
        "Response",
        "Edge on Windows",
        "Westshire headquarters10.1.2.3",
        "09:00 on 2 March 2026with single sign-on",
        "09:00 on 2 March 2026",
        "End P1, Priya, Edge on Windows",
    ]
    assert boxes(page) == [reference_of(person)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", {"D9001", "P1", "P2", "P3"}),
        ("q=p1", {"P1"}),
        ("unit=contact", {"P3"}),
        ("device=iphone", {"P2"}),
        ("device=edge", {"P1", "P3"}),
        ("device=%25", set()),
        ("network=Headquarters", {"P1"}),
        ("network=elsewhere", {"D9001", "P2"}),
        ("address=10.0.0.0/8", {"P1", "P3"}),
        ("address=198.51.100.7", {"P2"}),
        ("address=10.0.0.0/8&network=Station", {"P3"}),
        ("way=oidc", {"P2"}),
        ("idle=30", {"P1"}),
        ("idle=31", set()),
        ("q=p1&device=iphone", set()),
    ],
)
def test_filters_narrow_the_list(
    app: Flask,
    client: PortalClient,
    frozen: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    numbers: set[str],
) -> None:
    set_settings(app, monkeypatch, network_names="10.1.0.0/16=Headquarters;10.2.0.0/16=Station")
    people = make_people("P1", "P2")
    open_session(people["P1"], "Edge on Windows", "10.1.2.3")
    frozen.shift(timedelta(minutes=30))
    open_session(people["P2"], "Safari on iPhone", "198.51.100.7", method="oidc")
    contact = make_person(make_unit("Contact"), staff_number="P3", surname="P3")
    open_session(contact, "Edge on Android", "10.2.0.9")
    signed_in_administrator(client)

    assert numbers_in(client.page(f"{SESSIONS}?{query}")) == numbers


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("unit=Roads", "No unit has the path or name “Roads” today."),
        ("network=Moon", "“Moon” is not a known network."),
        ("address=10.1", "Enter an address, such as 192.0.2.7, or a network, such as 10.1.0.0/16."),
        ("way=pigeon", "“pigeon” is not a known way."),
        ("idle=soon", "Enter a number of minutes, such as 30."),
        ("idle=0", "Enter a number of minutes, such as 30."),
        ("idle=99999", "Enter a number of minutes, such as 30."),
        ("sort=unit", "“unit” is not a known sort order."),
        ("page=x", "“x” is not a page number."),
    ],
)
def test_what_is_not_known_is_refused_and_ends_nothing(
    client: PortalClient, query: str, sentence: str
) -> None:
    open_session(make_people("P1")["P1"])
    signed_in_administrator(client)

    page = client.page(f"{SESSIONS}?{query}", 400)

    assert sentence in page.text
    assert page.title.startswith("Error: ")
    if not query.startswith("page"):
        assert client.get(f"{END}?{query}").status_code == 400
        token = client.page(SESSIONS).form_with(SELECTED).fields["csrf_token"]
        sent = client.post(f"{END}?{query}", data={"csrf_token": token, "confirmed": "all"})
        assert sent.status_code == 400
        assert ended_by_subject() == {}


def test_only_sessions_that_could_be_used_are_listed(
    client: PortalClient, frozen: time_machine.Traveller
) -> None:
    people = make_people("IDLE", "OLD", "WEAK", "ENDED", "CLOSED", "OPEN")
    left = make_person(make_unit("Gone"), staff_number="LEFT", until=date(2026, 3, 1))
    open_session(people["OLD"], at=NOW - timedelta(hours=12))
    open_session(people["IDLE"], at=NOW - timedelta(minutes=60))
    with transaction():
        services.open_session(
            people["WEAK"], services.SignInOrigin("", ""), NOW - timedelta(minutes=15), must_change=True
        )
    for name in ("ENDED", "CLOSED", "OPEN"):
        open_session(people[name])
    open_session(left)
    with transaction():
        services.end_sessions(people["ENDED"], "signed_out", None, NOW)
        services.close_account(people["CLOSED"], by=None, at=NOW)
    signed_in_administrator(client)

    assert numbers_in(client.page(SESSIONS)) == {"OPEN", "D9001"}


@pytest.mark.slow
def test_twenty_rows_take_as_many_statements_as_two(client: PortalClient) -> None:
    people = make_people(*(f"P{number}" for number in range(20)))
    signed_in_administrator(client)
    for person in list(people.values())[:2]:
        open_session(person)
    few = count_statements(client, SESSIONS)

    for person in list(people.values())[2:]:
        open_session(person)

    assert count_statements(client, SESSIONS) == few <= 6


@pytest.mark.slow
def test_sorted_and_paged(client: PortalClient, frozen: time_machine.Traveller) -> None:
    people = make_people(*(f"P{number:02}" for number in range(30)))
    for person in people.values():
        frozen.shift(timedelta(seconds=10))
        open_session(person, at=clock.now())
    signed_in_administrator(client)

    latest = client.page(f"{SESSIONS}?unit=response")
    assert "Showing 1 to 25 of 30" in latest.text
    assert table_rows(latest)[0][1].startswith("P29")
    assert table_rows(client.page(f"{SESSIONS}?unit=response&sort=seen"))[0][1].startswith("P00")
    assert table_rows(client.page(f"{SESSIONS}?unit=response&sort=person&page=2"))[0][1].startswith("P25")
    assert latest.links["Last seen"] == f"{SESSIONS}?unit=response&sort=seen"


def test_the_page_of_an_account_lists_its_sessions_and_ends_one(app: Flask, client: PortalClient) -> None:
    person = make_account("P1")
    phone = browser_with(app, open_session(person, "Safari on iPhone"))
    desk = browser_with(app, open_session(person, "Edge on Windows"))
    signed_in_administrator(client)

    page = client.page("/people/P1/account")
    assert "Last signed in at" in page.text
    assert "Signed in on 2 browsers" in page.text
    done = client.press(page, "Sign out Safari on iPhone")

    assert "That browser is signed out" in done.text
    assert not signed_in(phone)
    assert signed_in(desk)
    assert ended_by_subject() == {person: 1}
    token = page.form_with("End all sessions").fields["csrf_token"]
    mine = page.form_with("Sign out Edge on Windows").action.replace("/P1/", "/D9001/")
    assert client.post(mine, data={"csrf_token": token}).status_code == 404


def test_ones_own_page_says_place_and_way(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(app, monkeypatch, network_names="10.1.0.0/16=Westshire headquarters")
    person = make_account()
    open_session(person, "Safari on iPhone", "10.1.2.3", method="oidc")
    sign_in(client, path="/sign-in?next=/account")

    here, phone = table_rows(client.page("/account"))

    assert (here[3], here[4]) == ("Now", "This browser")
    assert "with password" in here[2]
    assert phone[0] == "Safari on iPhone"
    assert phone[1] == "Westshire headquarters10.1.2.3"
    assert "with single sign-on" in phone[2]
