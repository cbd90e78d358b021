"""The code in the room signs in who is signed in, has a place and reads it in time."""

import re
from datetime import timedelta

import pytest
import time_machine

from portal.features.events.register import NUMBER_SECONDS, make_room_code, make_room_number
from tests.conftest import SECRET
from tests.factories.people import make_person, make_unit
from tests.features.events.signing import make_running_event
from tests.features.events.test_register import sign_off
from tests.features.events.worlds import BEGUN, OVER, list_entries

NEXT = timedelta(seconds=NUMBER_SECONDS)
pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def event(app):
    with time_machine.travel(BEGUN, tick=False):
        yield make_running_event(app)


def link(event, at=BEGUN):
    """What a phone reads from the screen at this instant."""
    return f"{event.root}/sign-in?code={make_room_code(SECRET, event.world.reference, at)}"


def number_at(event, at):
    """What the screen shows below the code at this instant."""
    return make_room_number(SECRET, event.world.reference, at)


def press_later(event, client, page, status=200):
    """Send the form with the number that the screen shows next."""
    at = BEGUN + NEXT
    with time_machine.travel(at, tick=False):
        return client.press(page, "I am here", status, number=number_at(event, at))


def test_scanning_the_code_and_pressing_the_button_signs_a_person_in(event):
    learner = event.browser_of(event.world.people[0])

    page = learner.page(link(event))
    assert list_entries() == []  # reading the address notes nothing
    shown = press_later(event, learner, page)

    assert "You are signed in." in shown.text
    assert "Here since 09:31, by code" in shown.text
    assert "1 by code" in event.facilitator.page(f"{event.root}/register").text
    assert "1 person signed in" in event.facilitator.page(f"{event.root}/sign-in/code").text


def test_who_is_signed_off_reads_so_instead_of_signing_in(event):
    learner = event.browser_of(event.world.people[0])
    sign_off(event, 0, "part", "left_early")

    page, scanned = learner.page(f"{event.root}/sign-in"), learner.page(link(event), 409)

    for shown in (page, scanned):
        assert "You are signed off at this event: attended in part: left early." in shown.text
        assert "I am here" not in shown.text
        assert "Scan the code" not in shown.text


def test_a_photographed_code_helps_no_friend(event):
    friend, stranger = event.browser_of(event.world.people[1]), make_person(make_unit("Elsewhere"))
    with time_machine.travel(BEGUN + timedelta(seconds=50), tick=False):
        late = friend.page(link(event), 409)
    without_place = event.browser_of(stranger).page(link(event), 403)
    opened = event.browser_of(event.world.people[0]).page(link(event))

    assert "no longer valid" in late.text
    assert "You have no place at this event." in without_place.text
    with time_machine.travel(BEGUN + NEXT, tick=False):  # the friend has the number of the picture alone
        photographed = friend.press(
            friend.page(link(event)), "I am here", 400, number=number_at(event, BEGUN)
        )
    assert "Wait until the number on the screen changes" in photographed.text
    assert photographed.form_with("I am here").fields["ticket"]
    ticket = opened.form_with("I am here").fields["ticket"]
    own = friend.page(link(event)).form_with("I am here").fields
    own |= {"ticket": ticket, "number": number_at(event, BEGUN)}
    answer = friend.post(f"{event.root}/sign-in", data=own)
    assert answer.status_code == 409
    assert list_entries() == []


def test_a_person_who_is_not_signed_in_signs_in_first_and_scans_again(event, client):
    answer = client.get(link(event))

    assert answer.status_code in (302, 303)
    assert answer.location.startswith("/sign-in?next=")


def test_the_screen_shows_another_code_each_half_minute_until_the_end(event):
    drawn = []
    for seconds in (0, 30):
        with time_machine.travel(BEGUN + timedelta(seconds=seconds), tick=False):
            page = event.facilitator.page(f"{event.root}/sign-in/code")
            assert 1 <= int(page.headers["Refresh"]) <= NUMBER_SECONDS
            assert number_at(event, BEGUN + timedelta(seconds=seconds)) in page.text
            drawn.append(re.search(r"<svg.*</svg>", page.html, re.DOTALL)[0])
    assert drawn[0] != drawn[1]

    with time_machine.travel(OVER, tick=False):
        over = event.browser_of(event.world.second).page(f"{event.root}/sign-in/code")
    assert "Refresh" not in over.headers
    assert "This event has ended." in over.text


def test_nobody_guesses_the_number(event):
    learner = event.browser_of(event.world.people[0])
    page, answers = learner.page(link(event)), []
    with time_machine.travel(BEGUN + NEXT, tick=False):
        right = number_at(event, BEGUN + NEXT)
        form = page.form_with("I am here").fields
        wrong = [f"{guess:04}" for guess in range(10) if f"{guess:04}" != right]
        answers = [
            learner.post(f"{event.root}/sign-in", data={**form, "number": number}).status_code
            for number in [*wrong[:8], right]
        ]

    assert answers == [400] * 6 + [429] * 3
    assert list_entries() == []


def test_the_page_without_a_code_says_what_to_do(event):
    page = event.browser_of(event.world.people[0]).page(f"{event.root}/sign-in")

    assert "Scan the code on the screen" in page.text
    assert "I am here" not in page.html
