"""Signing off on the page: the register suggests, a facilitator decides, a second one corrects."""

from datetime import timedelta

import pytest
import time_machine

from portal.domain.records.models import Record
from portal.platform.db import db
from tests.factories.events import EVENT_START, make_booking
from tests.features.events.signing import make_running_event
from tests.features.events.test_register import row, send
from tests.features.events.worlds import BEGUN, OVER, list_attendances, list_outcomes

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def event(app):
    with time_machine.travel(BEGUN, tick=False) as time:
        made = make_running_event(app)
        send(made, row(made, 0, "present"), row(made, 1, "left_early"))
        time.move_to(OVER)
        made.browsers.clear()  # sessions of the morning
        yield made


def chosen(page):
    """The value that is chosen in each choice of the page."""
    return {
        select.get("name"): next((o.get("value") for o in select.iter() if o.get("selected") is not None), "")
        for select in page.all("select")
    }


def sign_off(event, **more):
    page = event.facilitator.page(f"{event.root}/sign-off")
    choices = chosen(page) | {f"outcome-{event.world.bookings[int(n[1:])]}": v for n, v in more.items()}
    return event.facilitator.press(page, "Sign off", **choices)


def test_the_register_suggests_and_who_was_never_noted_is_left_for_a_decision(event):
    shown = sign_off(event)

    assert [(row.person_id, row.outcome, row.reason) for row in list_outcomes()] == [
        (event.world.people[0], "attended", ""),
        (event.world.people[1], "part", "left_early"),
    ]
    record, _ = list_attendances()[0]
    assert "2 people signed off" in shown.text
    assert record.reference in shown.text
    assert "Attended in part: left early" in shown.text

    last = sign_off(event, p2="absent:leave")
    assert "Did not attend: on leave" in last.text
    assert "Sign off" not in [button for form in last.forms() for button in form.buttons]


def test_a_second_facilitator_corrects_and_the_first_cannot(event):
    sign_off(event)
    path = f"{event.root}/sign-off/{event.world.bookings[0]}"
    own = event.facilitator.page(path)
    assert "another facilitator corrects it" in own.text
    token = own.forms()[0].fields["csrf_token"]
    event.facilitator.post(path, data={"csrf_token": token, "outcome": "absent:sick"})
    assert len(list_outcomes()) == 2  # one for each person

    second = event.browser_of(event.world.second)
    shown = second.press(second.page(path), "Correct", outcome="absent:sick")

    assert "Did not attend: sick (corrected)" in shown.text
    assert db.session.query(Record).count() == 1
    assert len(list_outcomes()) == 3


def test_nobody_signs_themself_off(event):
    make_booking(event.world.reference, event.world.facilitator)

    page = event.facilitator.page(f"{event.root}/sign-off")

    assert "another facilitator signs you off" in page.text


@pytest.mark.parametrize("value", ["attended:sick", "part:", "asleep:", ":", "x" * 1000])
def test_a_forged_choice_is_refused_and_nothing_is_signed_off(event, value):
    shown = sign_off(event, p0=value)

    assert "Choose for each person how they attended" in shown.text
    assert list_outcomes() == []


def test_an_event_that_has_not_begun_is_not_signed_off(app):
    with time_machine.travel(EVENT_START - timedelta(hours=1), tick=False):
        event = make_running_event(app)
        page = event.facilitator.page(f"{event.root}/sign-off")

    assert "This event has not begun." in page.text


def test_a_person_who_was_not_signed_off_cannot_be_corrected(event):
    event.facilitator.page(f"{event.root}/sign-off/{event.world.bookings[0]}", 404)
