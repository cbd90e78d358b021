"""Sessions are ended at one place: one, some, all of a filter, and no others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import session_list
from portal.domain.accounts.models import HeldForm
from portal.platform.db import db
from portal.platform.errors import BusyError
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
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
    boxes,
    browser_with,
    ended_by_subject,
    make_people,
    numbers_in,
    open_session,
    reference_of,
    signed_in_administrator,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SELECTED = "Continue with those selected"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


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
    assert ended_by_subject() == {}


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


@pytest.mark.slow
def test_slices_end_everything_with_one_entry_for_each_person(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_list, "SLICE", 3)
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
    monkeypatch.setattr(session_list, "SLICE", 2)
    people = make_people("P1", "P2", "P3", "P4")
    for person in people.values():
        open_session(person)
    signed_in_administrator(client)
    asked, calls, real = client.page(END), [], session_list.end_slice

    def busy(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            real(*arguments)
            raise BusyError
        return real(*arguments)

    monkeypatch.setattr(session_list, "end_slice", busy)
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
