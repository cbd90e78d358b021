"""The register on a facilitator's phone, by its buttons alone and as its script sends."""

import json
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine

from portal.features.events import services as planned
from portal.features.events import sign_off as events_sign_off
from portal.features.events.sign_off import SignOff
from portal.platform import clock
from portal.platform.db import transaction
from tests.factories.people import make_person, make_unit
from tests.features.events.signing import make_running_event, number_of
from tests.features.events.worlds import BEGUN, list_entries
from tests.page_reading import words

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def event(app):
    with time_machine.travel(BEGUN, tick=False):
        yield make_running_event(app)


def mark(event, page, person, kind):
    form = next(form for form in page.forms() if "key" in form.fields)
    sent = {**form.fields, "mark": f"{event.world.bookings[person]}:{kind}"}
    return event.facilitator.post(f"{event.root}/register", data=sent)


def send(event, *rows, by=None):
    """Send entries as the script does."""
    browser = event.browser_of(by or event.world.facilitator)
    token = browser.page("/account").forms()[0].fields["csrf_token"]
    data = {"csrf_token": token, "entries": json.dumps(rows)}
    return browser.post(f"{event.root}/register/entries", data=data)


def row(event, person, kind, *, key=None, ago=0):
    return {"key": (key or uuid4()).hex, "id": str(event.world.bookings[person]), "kind": kind, "ago": ago}


def test_a_button_notes_a_person_and_the_page_says_so(event):
    page = event.facilitator.page(f"{event.root}/register")
    assert page.h1 == "Register"
    assert page.text.count("Not noted yet") == 3

    assert mark(event, page, 0, "present").status_code == 303
    assert mark(event, page, 0, "present").status_code == 303  # the same page sent twice is once

    shown = event.facilitator.page(f"{event.root}/register")
    assert len(list_entries()) == 1
    assert "Here since 09:31" in shown.text
    assert "1 of 3 people here: 0 by code, 0 by staff number, 1 by your entries." in shown.text


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("early", "The register opens at 07:30 on 10 June 2026."),
        ("cancelled", "This event was cancelled, so nobody is entered in its register."),
    ],
)
def test_where_the_register_takes_no_entry_it_says_why_and_has_no_buttons(app, state, sentence):
    with time_machine.travel(BEGUN - timedelta(days=1), tick=False):
        event = make_running_event(app)
        if state == "cancelled":
            with transaction():
                by = event.world.facilitator
                planned.cancel_event(event.world.reference, number=0, reason="No room", by=by, at=clock.now())

        page = event.facilitator.page(f"{event.root}/register?heads=x")
        answer = send(event, row(event, 0, "present"))

    main = words(page.all("main")[0])
    assert sentence in main
    assert "Somebody without a phone" not in main
    assert "Count heads" not in main
    assert not page.all("button", name="mark")
    assert (answer.status_code, answer.json) == (409, {"refused": sentence})


def test_two_phones_that_send_late_and_twice_agree(event):
    mine, theirs = row(event, 0, "present", ago=60_000), row(event, 0, "left_early", ago=1_000)

    send(event, theirs, by=event.world.second)
    answer = send(event, mine, mine)
    again = send(event, mine, theirs)

    assert answer.json == again.json
    assert answer.json["states"][str(event.world.bookings[0])] == "Left early at 09:30"
    assert len(list_entries()) == 2
    assert event.facilitator.get(f"{event.root}/register/states").json == answer.json


def test_of_who_is_signed_off_the_register_says_so_and_takes_no_other_entry(event):
    before = event.facilitator.page(f"{event.root}/register")
    sign_off(event, 0, "attended")

    assert mark(event, before, 0, "not_here").status_code == 303
    shown = event.facilitator.page(f"{event.root}/register")
    answer = send(event, row(event, 0, "not_here"), row(event, 1, "present"), by=event.world.second)

    sentence = "Shah 0 is signed off, so nothing more is noted of them."
    assert sentence in shown.text
    assert words_about(event, shown, 0) == "Signed off: attended"
    assert not buttons_about(event, shown, 0)
    assert buttons_about(event, shown, 1)
    assert "Nobody is here yet, of 3 people with a place. 1 person is signed off." in shown.text
    assert answer.status_code == 200  # so that the device keeps none of both
    assert sentence in answer.json["refused"]
    assert answer.json["states"][str(event.world.bookings[0])] == "Signed off: attended"
    assert [(entry.person_id, entry.kind) for entry in list_entries()] == [(event.world.people[1], "present")]


def sign_off(event, person, outcome, reason=""):
    with transaction():
        decision = SignOff(event.world.bookings[person], outcome, reason)
        events_sign_off.sign_off(
            event.world.reference, [decision], by=event.world.facilitator, at=clock.now()
        )


def about(event, page, person):
    (section,) = page.all("section", id=f"person-{event.world.bookings[person]}")
    return section


def words_about(event, page, person):
    return next(words(e) for e in about(event, page, person).iter() if e.get("data-state") is not None)


def buttons_about(event, page, person):
    return [words(e) for e in about(event, page, person).iter() if e.get("name") == "mark"]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "{}x",
        "7",
        '{"a": 1}',
        "[[]]",
        '[{"key": "x", "id": 1, "kind": "present", "ago": 0}]',
        '[{"key": "00000000000000000000000000000001", "id": 1, "kind": "asleep", "ago": 0}]',
        '[{"key": "00000000000000000000000000000001", "id": 1e400, "kind": "present", "ago": 0}]',
        '[{"key": "00000000000000000000000000000001", "id": 1, "kind": "present", "ago": 1e300}]',
        "[" * 100_000,
    ],
)
def test_a_malformed_entry_is_refused_in_a_sentence(event, sent):
    token = event.facilitator.page("/account").forms()[0].fields["csrf_token"]

    data = {"csrf_token": token, "entries": sent}
    answer = event.facilitator.post(f"{event.root}/register/entries", data=data)

    assert (answer.status_code, answer.json) == (409, {"refused": "The register cannot read these entries."})


def test_somebody_without_a_phone_is_noted_by_staff_number(event):
    page = event.facilitator.page(f"{event.root}/register")

    shown = event.facilitator.press(page, "Note as here", staff_number=number_of(event.world.people[1]))
    assert "is noted as here." in shown.text
    assert "by staff number" in shown.text

    stranger = make_person(make_unit("Elsewhere"))
    refused = event.facilitator.press(shown, "Note as here", staff_number=number_of(stranger))
    assert "Nobody with a place at this event has this staff number." in refused.text


def test_heads_are_counted_against_the_register(event):
    send(event, row(event, 0, "present"), row(event, 1, "present"))

    few = event.facilitator.page(f"{event.root}/register?heads=1")
    many = event.facilitator.page(f"{event.root}/register?heads=3")
    equal = event.facilitator.page(f"{event.root}/register?heads=2")

    assert "1 person noted and not in the room" in few.text
    assert "1 person in the room not noted" in many.text
    assert "You counted 2, as the register says." in equal.text
    assert "There is a problem" not in equal.text


@pytest.mark.parametrize("typed", ["x", "", "1000", "-1", "²"])
def test_heads_that_are_no_number_are_refused_at_their_field(event, typed):
    shown = event.facilitator.page(f"{event.root}/register?{urlencode({'heads': typed})}", 400)

    assert shown.title.startswith("Error: Register")
    assert shown.links["Enter a whole number from 0 to 999"] == "#counted"
    assert shown.form_with("Compare").fields["heads"] == [typed]
    assert "You counted" not in shown.text


@pytest.mark.parametrize("typed", ["", " "])
def test_a_staff_number_that_is_missing_is_asked_for(event, typed):
    page = event.facilitator.page(f"{event.root}/register")

    shown = event.facilitator.press(page, "Note as here", staff_number=typed)

    assert "Enter their staff number." in shown.text
    assert "Nobody with a place" not in shown.text


def test_only_facilitators_open_it(event):
    learner = event.browser_of(event.world.people[0])

    for path in ("register", "register/states", "sign-in/code", "sign-off", "syndicates"):
        assert learner.get(f"{event.root}/{path}").status_code == 403
    assert event.facilitator.get("/events/EV-9999/register").status_code == 404


def test_what_a_device_keeps_names_nobody_and_is_of_one_person(event):
    html = [
        event.browser_of(person).get(f"{event.root}/register").get_data(as_text=True)
        for person in (event.world.facilitator, event.world.second)
    ]

    kept = [text.split('data-kept="')[1].split('"')[0] for text in html]
    assert kept[0] != kept[1]
    assert all(name.startswith("portal-register:") and name.endswith(event.world.reference) for name in kept)
    assert all(number_of(event.world.facilitator) not in name for name in kept)


@pytest.mark.parametrize("reference", ["%00", "EV-0001%20", "%ED%A0%80", "x" * 300])
def test_no_other_reference_opens_a_register(event, reference):
    assert event.facilitator.get(f"/events/{reference}/register").status_code == 404
