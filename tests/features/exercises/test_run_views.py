"""The screens of a run as people use them without a script: begin, read, write, correct, reload."""

import re
from uuid import uuid4

import pytest
import time_machine

from portal.domain.accounts import services as accounts
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.features.exercises.running.playing import MORNING, make_players, open_as, press, take_pen, write
from tests.page_reading import words
from tests.pages.account.browsing import PASSWORD, another, let_in, make_account
from tests.pages.monitoring.counting import statements

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(MORNING, tick=False) as travel:
        yield travel


@pytest.fixture
def room(app):
    """A run, and a browser for the facilitator and each person of its syndicates."""
    players = make_players()
    people = {
        "D5001": players.facilitator, "D1001": players.first, "D1002": players.second, "D1003": players.third,
    }  # fmt: skip
    browsers = {}
    for name, person in people.items():
        with transaction():
            accounts.set_password(person, PASSWORD, clock.now())
        browsers[name] = another(app)
        let_in(browsers[name], name)
    players.browsers = browsers
    players.control = f"/exercises/{players.run}/control"
    return players


def own(room, syndicate: int) -> str:
    return f"/exercises/{room.run}/{syndicate}"


def ask(client, path: str, tag: str):
    return client.get(path, headers={"If-None-Match": tag})


def test_from_the_start_to_the_end_without_a_script(room, morning):
    facilitator, scribe = room.browsers["D5001"], room.browsers["D1001"]
    page = scribe.page(own(room, 1))
    assert "You are the supervisors of one night." in page.text
    assert "Inject 1" not in page.text
    control = facilitator.press(facilitator.page(room.control), "Begin", do="start")
    assert "Going on" in control.text
    page = scribe.press(scribe.page(own(room, 1)), "Become the scribe")
    assert "You are the scribe" in page.text
    page = scribe.press(page, "Write into the log", text="Send a car.", reason="To see <who> is there.")
    assert "Send a car." in page.text
    assert "To see <who> is there." in page.text
    page = scribe.press(page, "Add the correction", text="Send two cars.", reason="It is dark.")
    assert page.text.count("Send a car.") == 2  # the answer stays, under its question and in the log
    control = facilitator.page(room.control)
    assert "Send two cars." in control.text
    assert "Syndicate 1: 1 of 1 question answered" in control.text
    morning.shift(10 * 60)
    control = facilitator.press(
        facilitator.page(room.control), "Send", do="message", to="1", text="Listen to <me>."
    )
    assert "Listen to <me>." in scribe.page(own(room, 1)).text
    assert "Listen to" not in room.browsers["D1002"].page(own(room, 2)).text
    assert "Inject 2" in scribe.page(own(room, 1)).text
    control = facilitator.press(control, "To syndicate 2: Inject 3", do="release")
    assert "Inject 3" in room.browsers["D1002"].page(own(room, 2)).text
    assert "Inject 3" not in scribe.page(own(room, 1)).text
    assert "To syndicate 2: 10:10" in control.text
    assert "Inject 3" not in facilitator.page(f"/exercises/{room.run}/wall").text
    facilitator.press(control, "To all: Inject 3", do="release")
    assert "Inject 3" in scribe.page(own(room, 1)).text
    facilitator.press(facilitator.page(room.control), "Plenary", do="plenary")
    assert "look at the wall" in scribe.page(own(room, 1)).text
    for browser, path in ((scribe, own(room, 1)), (facilitator, room.control)):
        assert f"/exercises/{room.run}/plenary" in browser.page(path).links.values()
    assert facilitator.page(f"/exercises/{room.run}/wall").h1.startswith("Plenary")
    facilitator.press(facilitator.page(room.control), "End the exercise", do="end")
    page = scribe.page(own(room, 1))
    assert "What would you do differently tonight?" in page.text
    assert "Write into the log" not in page.text


def test_nothing_new_is_two_statements_and_no_content(room, morning):
    facilitator, client = room.browsers["D5001"], room.browsers["D1001"]
    press(room.run, room.facilitator, "start")
    for reader, path in (
        (client, own(room, 1)),
        (facilitator, room.control),
        (client, f"/exercises/{room.run}/wall"),
    ):
        reader.get(path)  # notes what the clock released, and reads what never changes
        tag = reader.get(path).headers["ETag"]
        morning.shift(30)
        with statements() as run:
            answer = ask(reader, path, tag)
        assert (answer.status_code, answer.get_data()) == (304, b"")
        assert len([line for line in run if line.startswith("SELECT") or line.startswith("WITH")]) <= 2, run
        assert answer.headers["Cache-Control"] == "no-store"
    assert ask(client, own(room, 1), tag).headers["Exercise-Clock"] == "90"


def test_a_screen_is_new_when_something_on_it_is_and_not_otherwise(room, morning):
    first, second, facilitator = (room.browsers[name] for name in ("D1001", "D1002", "D5001"))
    press(room.run, room.facilitator, "start")

    def tags() -> list[str]:
        paths = ((first, own(room, 1)), (second, own(room, 2)), (facilitator, room.control))
        return [client.get(path).headers["ETag"] for client, path in paths]

    def changed(before: list[str]) -> list[bool]:
        return [old != new for old, new in zip(before, tags(), strict=True)]

    seen = tags()
    assert changed(seen) == [False, False, False]
    take_pen(room.run, room.first, 1)
    assert changed(seen) == [True, False, True]
    seen = tags()
    write(room.run, room.first, 1)
    assert changed(seen) == [True, False, True]
    seen = tags()
    morning.shift(10 * 60)  # the clock releases the second inject
    assert changed(seen) == [True, True, True]
    seen = tags()
    assert changed(seen) == [False, False, False]  # that it was noted is not new
    press(room.run, room.facilitator, "message", text="To you alone.", syndicate=2)
    assert changed(seen) == [False, True, True]
    seen = tags()
    press(room.run, room.facilitator, "release", inject_key="inject-3", syndicate=2)
    assert changed(seen) == [False, True, True]


def test_a_paste_of_a_megabyte_or_too_many_letters_is_refused_and_kept(room):
    client = room.browsers["D1001"]
    press(room.run, room.facilitator, "start")
    take_pen(room.run, room.first, 1)
    page = client.page(own(room, 1))
    answer = client.post(
        own(room, 1), data={**page.form_with("Write into the log").fields, "text": "x" * 2**20}
    )
    assert answer.status_code == 413
    page = client.press(page, "Write into the log", text="y" * 6_000, reason="So.")
    assert page.title.startswith("Error: ")
    assert "What you wrote has 6,000 characters. Use 5,000 or fewer." in page.text
    assert "y" * 6_000 in page.html


def test_after_the_end_nobody_is_told_to_write_any_more(room):
    press(room.run, room.facilitator, "start")
    take_pen(room.run, room.first, 1)
    press(room.run, room.facilitator, "end")

    own_page, other = (
        room.browsers[name].page(own(room, n)).text for name, n in (("D1001", 1), ("D1002", 2))
    )
    control = room.browsers["D5001"].page(room.control).text

    assert "The exercise has ended." in own_page
    assert "You were the scribe." in own_page
    assert "Nobody was the scribe." in other
    assert "was the scribe." in control
    for text in (own_page, other, control):
        assert "you write" not in text
        assert "is the scribe" not in text


def test_a_form_sent_by_a_former_scribe_keeps_its_text(room):
    second, third = room.browsers["D1002"], room.browsers["D1003"]
    press(room.run, room.facilitator, "start")
    page = second.press(second.page(own(room, 2)), "Become the scribe")
    third.press(third.page(own(room, 2)), "Become the scribe")
    page = second.press(page, "Write into the log", text="Hold the line.", reason="So.")
    assert "Priya Cole is the scribe now." in page.text
    assert "Become the scribe" in page.text
    assert "Hold the line." in page.html
    page = second.press(page, "Become the scribe and write this", do="both")
    assert "You are the scribe" in page.text
    assert page.text.count("Hold the line.") == 3  # under the question, to be corrected, and in the log


def test_a_form_sent_twice_and_a_forged_one(room):
    client = room.browsers["D1001"]
    press(room.run, room.facilitator, "start")
    take_pen(room.run, room.first, 1)
    form = client.page(own(room, 1)).form_with("Write into the log")
    sent = {**form.fields, "text": "Once.", "reason": "So."}
    for _ in range(2):
        assert client.post(own(room, 1), data=sent).status_code == 303
    page = client.page(own(room, 1))
    assert (
        len(page.all("p", class_="portal-typed")) == 4
    )  # text and reason, under the question and in the log
    for fault in ({"key": "x"}, {"question": "zz"}, {"corrects": "99"}, {"do": "else", "key": ""}):
        answer = client.post(own(room, 1), data={**sent, "key": str(uuid4()), **fault})
        assert b"There is a problem" in answer.get_data(), fault
    assert client.post(room.control, data={**sent, "do": "start"}).status_code in (403, 404)
    facilitator = room.browsers["D5001"]
    token = facilitator.page(room.control).form_with("Hold").fields
    assert facilitator.post(room.control, data={**token, "do": "scribe"}).status_code == 404
    told = {**token, "do": "message", "text": "For two only.", "to": "two", "key": str(uuid4())}
    assert facilitator.post(room.control, data=told).status_code == 404
    assert "For two only." not in client.page(own(room, 1)).text


def test_each_person_may_open_their_own_screens_alone(room):
    stranger = another(room.browsers["D1001"].application)
    make_account("D1009")
    let_in(stranger, "D1009")
    met = {
        name: [
            client.get(path).status_code for path in (own(room, 1), own(room, 2), own(room, 3), room.control)
        ]
        for name, client in [*room.browsers.items(), ("stranger", stranger)]
    }
    assert met == {
        "D5001": [200, 200, 404, 200],
        "D1001": [200, 404, 404, 404],
        "D1002": [404, 200, 404, 404],
        "D1003": [404, 200, 404, 404],
        "stranger": [404, 404, 404, 404],
    }
    assert room.run not in stranger.page("/exercises").text


def test_a_person_in_no_syndicate_is_told_who_to_ask(room, app):
    from tests.factories.events import make_booking

    person = make_account("D1008")
    make_booking(room.event, person)
    client = another(app)
    let_in(client, "D1008")
    page = client.page("/exercises")
    assert "You are in no syndicate yet. Ask the facilitator." in page.text
    assert client.get(own(room, 1)).status_code == 404


def test_at_a_table_one_page_is_enough(room, morning):
    client = room.browsers["D1001"]
    page = client.press(client.page("/exercises"), "Open at a table: Night shift", kind="table_top")
    assert page.h1 == "Exercise at a table"
    page = client.press(page, "Begin", do="start")
    assert "Inject 1" in page.text
    page = client.press(page, "Release now: Inject 3", do="release")
    assert page.h1 == "Exercise at a table"
    page = client.press(page, "Write into the log", text="We go.", reason="So.")
    assert "We go." in page.text
    again = client.press(client.page("/exercises"), "Open at a table: Night shift", kind="table_top")
    assert "We go." in again.text


def test_a_rehearsal_is_gone_at_its_end(room):
    client = room.browsers["D5001"]
    page = client.press(client.page("/exercises"), "Rehearse: Night shift", kind="rehearsal", syndicates="3")
    run = re.search(r"TRY-\w+", page.text)[0]
    assert run != room.run
    assert "Syndicate 3" in page.text
    page = client.press(page, "Begin", do="start")
    page = client.press(page, "End and erase", do="end")
    assert page.h1 == "Exercises"
    assert run not in page.text
    assert client.get(f"/exercises/{run}/control").status_code == 404
    for wrong in (
        {"syndicates": "0", "kind": "rehearsal"},
        {"kind": "event", "event": "EV-9"},
        {"kind": "x"},
    ):
        page = client.press(client.page("/exercises"), "Rehearse: Night shift", **wrong)
        assert "There is a problem" in page.text


def test_a_second_facilitator_takes_over_on_the_same_page(room, app):
    make_grant(make_account("D5002"), Role.FACILITATOR)
    client = another(app)
    let_in(client, "D5002")
    press(room.run, room.facilitator, "start")
    stale = room.browsers["D5001"].page(room.control)
    page = client.press(client.page(room.control), "Hold", do="hold")
    assert "Held" in page.text
    page = room.browsers["D5001"].press(stale, "Hold", do="hold")  # what holds already is no fault
    assert "There is a problem" not in page.text
    page = room.browsers["D5001"].press(stale, "Plenary", do="plenary")
    assert "Plenary" in words(page.all("strong", class_="govuk-tag")[0])


def test_as_many_statements_with_many_entries_as_with_two(room):
    press(room.run, room.facilitator, "start")
    for person, syndicate in ((room.first, 1), (room.second, 2)):
        take_pen(room.run, person, syndicate)
    counts = []
    for _ in range(2):
        for person, syndicate in ((room.first, 1), (room.second, 2)):
            write(room.run, person, syndicate, "")
        for _ in range(2):  # what the clock released is noted, and the steps are kept
            room.browsers["D5001"].get(room.control)
        with statements() as run:
            room.browsers["D5001"].get(room.control)
        counts.append(len(run))
    assert counts[0] == counts[1]


def test_two_runs_of_one_event_are_one(room):
    again = open_as(room.facilitator, "event", event_reference=room.event)
    assert again == room.run
