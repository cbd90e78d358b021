"""Open sessions at one place, and how they are ended: one, some, all of a filter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import services
from portal.domain.accounts.models import HeldForm, SignInSession
from portal.domain.accounts.overview import session_ending
from portal.platform import clock
from portal.platform.audit.models import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import (
    PASSWORD,
    another,
    make_account,
    open_form,
    send_form,
    sign_in,
    signed_in,
)
from tests.pages.people.signing_in import (
    END,
    SESSIONS,
    browser_with,
    count_events,
    count_statements,
    numbers_in,
    open_session,
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


def boxes(page: Page) -> list[str]:
    """The references of the sessions that the page lets select."""
    return [box.get("value") or "" for box in page.all("input", type="checkbox", name="end")]


def ended_by_subject() -> dict[int, int]:
    """How many sessions the audit trail says were ended, by whose they were; one entry for each person."""
    rows = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.session_ended")).all()
    by_subject = {event.subject_id or 0: event.detail.get("sessions", 0) for event in rows}
    assert len(by_subject) == len(rows), "a person has two entries"
    return by_subject


def make_people(*numbers: str) -> dict[str, int]:
    unit = make_unit("Response")
    return {number: make_person(unit, staff_number=number, surname=number) for number in numbers}


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


def reference_of(person: int) -> str:
    return db.session.scalars(select(SignInSession.reference).where(SignInSession.person_id == person)).one()


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
        assert count_events("account.session_ended") == 0


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


def test_one_is_ended_at_its_next_request(app: Flask, client: PortalClient) -> None:
    person = make_account("P1")
    phone, desk = another(app), another(app)
    for browser in (phone, desk):
        sign_in(browser, "P1", path="/sign-in?next=/account")
    signed_in_administrator(client)
    page = client.page(f"{SESSIONS}?q=P1")
    last_seen = boxes(page)[0]

    done = client.press(page, SELECTED, one=last_seen)

    assert "1 session of 1 person ended." in done.text
    assert done.h1 == "1 open session"  # of the same filter
    assert [signed_in(phone), signed_in(desk)].count(True) == 1
    assert ended_by_subject() == {person: 1}
    assert "These sessions had ended already." in client.press(page, SELECTED, one=last_seen).text
    assert ended_by_subject() == {person: 1}


def test_those_selected_are_ended_after_a_page_that_says_how_many(app: Flask, client: PortalClient) -> None:
    people = make_people("P1", "P2", "P3")
    browsers = [browser_with(app, open_session(people[number])) for number in ("P1", "P1", "P2", "P3")]
    signed_in_administrator(client)
    chosen = boxes(client.page(f"{SESSIONS}?q=P1")) + boxes(client.page(f"{SESSIONS}?q=P2"))

    asked = client.press(client.page(SESSIONS), SELECTED, end=chosen)
    assert asked.h1 == "End 3 sessions of 2 people"
    assert all(signed_in(browser) for browser in browsers)
    done = client.press(asked, "End sessions")

    assert "3 sessions of 2 people ended." in done.text
    assert [signed_in(browser) for browser in browsers] == [False, False, False, True]
    assert ended_by_subject() == {people["P1"]: 2, people["P2"]: 1}


def test_none_selected_is_said(client: PortalClient) -> None:
    open_session(make_people("P1")["P1"])
    signed_in_administrator(client)

    page = client.press(client.page(SESSIONS), SELECTED, 400)

    assert "Select at least one session" in page.text
    assert count_events("account.session_ended") == 0


def test_all_of_a_filter_are_ended_and_no_others(app: Flask, client: PortalClient) -> None:
    people = make_people("P1", "P2", "P3")
    stolen = [browser_with(app, open_session(people[each], "Safari on iPhone")) for each in ("P1", "P2")]
    kept = [browser_with(app, open_session(people[each], "Edge on Windows")) for each in ("P1", "P3")]
    signed_in_administrator(client)

    asked = client.page(client.page(f"{SESSIONS}?device=iphone").links["End all 2 sessions of this list"])
    assert asked.h1 == "End 2 sessions of 2 people"
    assert "“iphone”" in asked.text
    done = client.press(asked, "End sessions")

    assert "2 sessions of 2 people ended." in done.text
    assert not any(signed_in(browser) for browser in stolen)
    assert all(signed_in(browser) for browser in kept)
    assert ended_by_subject() == {people["P1"]: 1, people["P2"]: 1}


def test_ones_own_sessions_stay_unless_it_is_stated(app: Flask, client: PortalClient) -> None:
    person = make_people("P1")["P1"]
    open_session(person)
    me = signed_in_administrator(client)
    elsewhere = browser_with(app, open_session(me))

    asked = client.page(END)
    assert asked.h1 == "End 1 session of 1 person"
    assert "End 2 sessions of my own too" in asked.text
    client.press(asked, "End sessions")
    assert signed_in(client)
    assert signed_in(elsewhere)
    assert ended_by_subject() == {person: 1}

    done = client.press(client.page(END), "End sessions", own="yes")
    assert done.h1 == "Sign in"
    assert "Your own session is among those that ended" in done.text
    assert not signed_in(client)
    assert not signed_in(elsewhere)
    assert ended_by_subject() == {person: 1, me: 2}


def test_another_session_of_ones_own_is_ended_alone(app: Flask, client: PortalClient) -> None:
    me = signed_in_administrator(client)
    elsewhere = browser_with(app, open_session(me))
    page = client.page(SESSIONS)

    client.press(page, SELECTED, one=boxes(page)[0])

    assert signed_in(client)
    assert not signed_in(elsewhere)


def test_slices_end_everything_with_one_entry_for_each_person(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_ending, "SLICE", 3)
    people = make_people(*(f"P{number}" for number in range(10)))
    for person in people.values():
        for _ in range(2):
            open_session(person)
    signed_in_administrator(client)

    done = client.press(client.page(END), "End sessions")

    assert "20 sessions of 10 people ended." in done.text
    assert ended_by_subject() == dict.fromkeys(people.values(), 2)
    assert numbers_in(done) == {"D9001"}


def test_a_database_that_is_too_busy_leaves_whole_slices_and_says_so(
    client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_ending, "SLICE", 2)
    people = make_people("P1", "P2", "P3", "P4")
    for person in people.values():
        open_session(person)
    signed_in_administrator(client)
    asked, calls, real = client.page(END), [], session_ending.end_slice

    def busy(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            real(*arguments)
            raise BusyError
        return real(*arguments)

    monkeypatch.setattr(session_ending, "end_slice", busy)
    page = client.press(asked, "End sessions")

    assert "2 sessions of 2 people ended. The portal was too busy for the others" in page.text
    assert len(ended_by_subject()) == 2
    again = client.press(asked, "End sessions")
    assert "2 sessions of 2 people ended." in again.text
    assert len(ended_by_subject()) == 4


def test_a_unit_administrator_sees_and_ends_their_units_alone(app: Flask, client: PortalClient) -> None:
    force = make_unit("Force")
    mine, other = make_unit("North", force), make_unit("South", force)
    near, far = make_person(mine, staff_number="N1"), make_person(other, staff_number="S1")
    chief = make_person(mine, staff_number="CHIEF")
    make_grant(chief, "auditor")
    browsers = {name: browser_with(app, open_session(each)) for name, each in
                {"N1": near, "S1": far, "CHIEF": chief}.items()}  # fmt: skip
    references = {each: reference_of(each) for each in (near, far, chief)}
    signed_in_administrator(client, mine, mine)

    page = client.page(SESSIONS)
    assert numbers_in(page) == {"N1", "CHIEF", "D9001"}
    assert boxes(page) == [references[near]]
    assert "Outside your units" in page.text
    token = page.form_with(SELECTED).fields["csrf_token"]
    for field in ("one", "end"):
        sent = client.post(END, data={"csrf_token": token, field: references[chief], "confirmed": "chosen"})
        assert sent.status_code == 403
        client.post(END, data={"csrf_token": token, field: references[far], "confirmed": "chosen"})
    asked = client.page(END)
    assert "1 more session that you can see is outside the units" in asked.text
    client.press(asked, "End sessions")

    assert {name: signed_in(each) for name, each in browsers.items()} == {
        "N1": False,
        "S1": True,
        "CHIEF": True,
    }
    assert ended_by_subject() == {near: 1}


def test_a_form_sent_from_an_ended_session_is_neither_carried_out_nor_kept(
    app: Flask, client: PortalClient
) -> None:
    page, boss = open_form(client), another(app)
    signed_in_administrator(boss)

    boss.press(boss.page(f"{END}?q=D1001"), "End sessions")
    asked = send_form(client, page)

    assert asked.h1 == "Sign in"
    assert "was not carried out" in asked.text
    assert held_forms() == 0


def test_a_form_that_was_kept_before_is_gone(
    app: Flask, client: PortalClient, frozen: time_machine.Traveller
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, page)
    assert held_forms() == 1
    elsewhere, boss = another(app), another(app)
    sign_in(elsewhere, path="/sign-in?next=/account")
    signed_in_administrator(boss)

    boss.press(boss.page(f"{END}?q=D1001"), "End sessions")

    assert held_forms() == 0
    after = client.press(client.page("/sign-in"), "Sign in", name="D1001", password=PASSWORD)
    assert "What you sent was kept" not in after.text


def held_forms() -> int:
    return db.session.scalar(select(func.count()).select_from(HeldForm)) or 0


def test_twenty_rows_take_as_many_statements_as_two(client: PortalClient) -> None:
    people = make_people(*(f"P{number}" for number in range(20)))
    signed_in_administrator(client)
    for person in list(people.values())[:2]:
        open_session(person)
    few = count_statements(client, SESSIONS)

    for person in list(people.values())[2:]:
        open_session(person)

    assert count_statements(client, SESSIONS) == few <= 6


def test_sorted_and_paged(client: PortalClient, frozen: time_machine.Traveller) -> None:
    people = make_people(*(f"P{number:02}" for number in range(30)))
    for person in people.values():
        frozen.shift(timedelta(seconds=10))
        open_session(person, at=clock.now())
    signed_in_administrator(client)

    latest = client.page(f"{SESSIONS}?q=P")
    assert "Showing 1 to 25 of 30" in latest.text
    assert table_rows(latest)[0][1].startswith("P29")
    assert table_rows(client.page(f"{SESSIONS}?q=P&sort=seen"))[0][1].startswith("P00")
    assert table_rows(client.page(f"{SESSIONS}?q=P&sort=person&page=2"))[0][1].startswith("P25")
    assert latest.links["Last seen"] == f"{SESSIONS}?q=P&sort=seen"


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
