"""Sessions run out, and no answer is lost by it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import services
from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.models import HeldForm, SignInSession
from portal.pages.layout.access import wants_recent_sign_in
from portal.pages.sign_in.forms import list_acts
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import (
    FORM,
    OTHER,
    PASSWORD,
    another,
    make_account,
    open_form,
    send_form,
    sign_in,
    signed_in,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def count_held_forms() -> int:
    return db.session.scalar(select(func.count()).select_from(HeldForm)) or 0


def test_an_hour_without_a_page_ends_a_session(frozen: time_machine.Traveller, client: PortalClient) -> None:
    open_form(client)
    for _ in range(3):
        frozen.shift(timedelta(minutes=59))
        assert signed_in(client)

    frozen.shift(timedelta(minutes=60))

    assert not signed_in(client)


def test_twelve_hours_end_a_session_in_use(frozen: time_machine.Traveller, client: PortalClient) -> None:
    open_form(client)
    for _ in range(23):
        frozen.shift(timedelta(minutes=30))
        assert signed_in(client)

    frozen.shift(timedelta(minutes=30))

    assert not signed_in(client)


def test_being_seen_is_written_at_most_once_a_minute(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    open_form(client)
    frozen.shift(timedelta(seconds=59))
    client.page("/account")
    assert db.session.scalar(select(SignInSession.seen_at)) == START

    frozen.shift(timedelta(seconds=1))
    client.page("/account")

    assert db.session.scalar(select(SignInSession.seen_at)) == START + timedelta(minutes=1)


def test_what_is_sent_after_a_lapse_is_carried_out_after_signing_in(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))

    asked = send_form(client, page)
    assert asked.h1 == "Sign in"
    assert "What you sent is kept for 60 minutes" in asked.text
    kept = client.press(asked, "Sign in", name="D1001", password=PASSWORD)
    assert kept.h1 == "Your request to give a role to D1005 was kept"
    done = client.press(kept, "Continue")

    assert "Role granted: Publisher" in done.text
    assert count_held_forms() == 0
    assert client.get_cookie("portal-kept") is None


def test_every_value_comes_back_as_it_was(frozen: time_machine.Traveller, client: PortalClient) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    text = 'Ünïcode & "quotes" <b>\r\nsecond line '
    fields = page.form_with("Grant role").fields

    response = client.post(
        f"{FORM}/grants?from=a%26b", data={**fields, "note": text, "choice": ["b", "a"], "empty": ""}
    )

    assert response.location == "/sign-in"
    kept = sign_in(client)
    form = kept.form_with("Continue")
    assert form.action == f"{FORM}/grants?from=a%26b"
    assert form.fields["note"] == [text.replace("\r\n", "\n")]  # as a browser's parser reads it, sent as CRLF
    assert form.fields["choice"] == ["b", "a"]
    assert form.fields["empty"] == [""]
    assert len(form.fields["csrf_token"]) == 1


def test_what_is_sent_twice_is_kept_once_and_said_in_words(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, page)
    send_form(client, page)

    kept = sign_in(client)

    assert count_held_forms() == 1
    assert "Sent at 11:00 on 2 March 2026, in People." in kept.text
    assert FORM not in kept.text
    assert "Role granted: Publisher" in client.press(kept, "Continue").text


def test_every_act_that_asks_for_the_password_again_is_said_in_words(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]
    asked_again = {r.endpoint for r in rules if wants_recent_sign_in(app.view_functions[r.endpoint])}

    assert asked_again == set(list_acts())


def test_two_forms_are_kept_and_sent_one_after_the_other(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, page)
    frozen.shift(timedelta(seconds=1))
    send_form(client, page, "author")

    kept = sign_in(client)

    assert [list(form.buttons) for form in kept.forms() if "Continue" in form.buttons] == [["Continue"]] * 2
    assert "Role granted: Publisher" in client.press(kept, "Continue").text
    assert count_held_forms() == 1
    assert "Role granted: Author" in client.press(client.page("/sign-in/kept"), "Continue").text
    assert count_held_forms() == 0


@pytest.mark.parametrize("reason", ["signed_out", "closed", "password_changed", "ended_elsewhere"])
def test_nothing_is_kept_of_a_session_that_was_ended(
    frozen: time_machine.Traveller, client: PortalClient, reason: str
) -> None:
    page = open_form(client)
    person = db.session.scalar(select(SignInSession.person_id)) or 0
    frozen.shift(timedelta(hours=2))
    with transaction():
        if reason == "closed":
            services.close_account(person, by=None, at=clock.now())
        else:
            services.end_sessions(person, reason, None, clock.now())

    asked = send_form(client, page)

    assert asked.h1 == "Sign in"
    assert "was not carried out" in asked.text
    assert count_held_forms() == 0


def test_a_change_of_password_drops_what_was_kept(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    person = db.session.scalar(select(SignInSession.person_id)) or 0
    frozen.shift(timedelta(hours=2))
    send_form(client, page)
    assert count_held_forms() == 1

    with transaction():
        services.set_password(person, OTHER, clock.now())

    assert count_held_forms() == 0


def test_another_person_never_gets_what_was_kept(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    make_account("D1002")
    frozen.shift(timedelta(hours=2))
    asked = send_form(client, page)

    client.press(asked, "Sign in", name="D1002", password=PASSWORD)

    assert "was kept" not in client.page("/sign-in/kept").text
    client.press(client.page("/account"), "Sign out")


def test_another_browser_never_gets_what_was_kept(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, page)

    other = another(app)
    sign_in(other)

    assert other.get("/sign-in/kept").location == "/"


def test_after_an_hour_it_is_gone(frozen: time_machine.Traveller, client: PortalClient) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, page)
    frozen.shift(timedelta(minutes=60))

    sign_in(client)

    assert client.get("/sign-in/kept").location == "/"


def test_a_form_that_another_site_made_is_not_kept(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    fields = page.form_with("Grant role").fields

    forged = client.post(f"{FORM}/grants", data={**fields, "csrf_token": "forged"})
    foreign = client.post(f"{FORM}/grants", data=fields, headers={"Origin": "https://evil.example"})

    assert (forged.status_code, foreign.status_code) == (400, 400)
    assert count_held_forms() == 0


def test_more_than_512_kilobytes_are_not_kept(frozen: time_machine.Traveller, client: PortalClient) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))

    asked = send_form(client, page, note="x" * 524288)

    assert "was not carried out" in asked.text
    assert count_held_forms() == 0


def test_what_a_script_sends_is_not_kept_and_not_told_of_later(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    form = open_form(client).form_with("Grant role")
    frozen.shift(timedelta(hours=2))

    answer = client.post(
        f"{FORM}/grants",
        data={**form.fields, "role": "publisher", "unit": ""},
        headers={"Sec-Fetch-Mode": "cors"},
    )

    assert answer.status_code == 401
    assert count_held_forms() == 0
    assert "not carried out" not in client.page("/sign-in").text


def test_a_page_opened_before_a_lapse_still_sends_after_signing_in_elsewhere(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    sign_in(client, path="/sign-in?next=/account")

    assert "Role granted: Publisher" in send_form(client, page).text


def test_a_form_without_a_token_of_its_session_is_not_kept(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    open_form(client)
    make_grant(make_account("D1002"), Role.ADMINISTRATOR)
    other = another(app)
    sign_in(other, "D1002", path="/sign-in?next=/account")
    fields = other.page(FORM).form_with("Grant role").fields
    frozen.shift(timedelta(hours=2))

    response = client.post(f"{FORM}/grants", data=fields)

    assert response.status_code == 400
    assert count_held_forms() == 0


def test_one_person_cannot_fill_the_disk(frozen: time_machine.Traveller, client: PortalClient) -> None:
    page = open_form(client)
    frozen.shift(timedelta(hours=2))
    for number in range(25):
        send_form(client, page, f"role-{number}")

    assert count_held_forms() == accounts_sign_in.MOST_FORMS_A_PERSON


def test_a_page_opened_before_signing_out_is_kept_until_its_person_confirms(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    client.press(client.page("/account"), "Sign out")
    sign_in(client, path="/sign-in?next=/account")

    kept = send_form(client, page)

    assert kept.h1 == "Your request to give a role to D1005 was kept"
    assert "Role granted: Publisher" not in client.page(FORM).text
    assert "Role granted: Publisher" in client.press(kept, "Continue").text


def test_a_page_opened_more_than_a_day_before_is_not(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    client.press(client.page("/account"), "Sign out")
    frozen.shift(timedelta(hours=24))
    sign_in(client, path="/sign-in?next=/account")

    assert send_form(client, page, status=400).h1 == "This form was open too long"
    assert count_held_forms() == 0
