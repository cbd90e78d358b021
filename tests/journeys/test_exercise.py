"""An exercise in the room: two syndicates, wall and control at once; network cut, server killed."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from config import Config
from portal.domain.people.queries import person_by_staff_number, viewer_of
from portal.features.exercises.runs import RunRequest, open_run
from portal.platform import clock
from portal.platform.db import transaction
from tests.databases import portal_on
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type, make_exercise
from tests.journeys.walking import hold_to_account, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FACILITATOR, FIRST, SECOND = "D5001", "D1001", "D2001"


def open_room(server: Server) -> str:
    """Open an exercise at an event with a person in each of two syndicates. Returns the run's reference."""
    settings = Config(mode="demo", secret_key="k" * 32, instance=server.instance)
    with portal_on(settings) as app, app.app_context():
        make_exercise()
        facilitator, first, second = map(person_by_staff_number, (FACILITATOR, FIRST, SECOND))
        version = make_event_type("a-table-of-two", title="A table of two")
        event = make_event(version, make_event_room("Room of two"), facilitator)
        for person, syndicate in ((first, 1), (second, 2)):
            make_booking(event, person, syndicate=syndicate)
        viewer = viewer_of(facilitator)
        assert viewer
        with transaction():
            return open_run(viewer, RunRequest("night-shift", "event", event), clock.now())


@dataclass
class Room:
    """The tabs of those in the room."""

    server: Server
    control: Tab
    wall: Tab
    first: Tab
    second: Tab


@pytest.fixture
def room(browser: Browser, server: Server) -> Iterator[Room]:
    """Everybody signed in, each before their screen."""
    run = open_room(server)
    with ExitStack() as stack:
        tabs = []
        for name, page, width in (
            (FACILITATOR, "control", 1280),
            (FACILITATOR, "wall", 1280),
            (FIRST, "1", 1280),
            (SECOND, "2", 360),
        ):
            tab = stack.enter_context(visitor(browser, server, width))
            sign_in(tab, name)
            tab.goto(f"/exercises/{run}/{page}")
            tabs.append(tab)
        yield Room(server, *tabs)


def begin(room: Room) -> None:
    """Begin, with a scribe in each syndicate."""
    room.control.click("button:text-is('Begin')")
    for tab in (room.first, room.second):
        expect(tab.locator("#inject-inject-1")).to_be_visible()  # nobody reloaded
        tab.click("button:text-is('Become the scribe')")
        expect(tab.locator("#scribe")).to_contain_text("You are the scribe")


def test_two_syndicates_the_wall_and_control_go_on_together(room: Room) -> None:
    begin(room)
    expect(room.wall.locator("#wall")).to_contain_text("Going on")
    expect(room.control.locator("#log-2")).to_contain_text("is the scribe")
    room.first.fill("#answer-q1-text", "We send a car")
    room.control.click("#injects button:has-text('To all') >> nth=-1")
    for tab in (room.first, room.second):
        expect(tab.locator("#inject-inject-3")).to_be_visible()
    expect(room.wall.locator("#wall")).to_contain_text("Inject 3")
    expect(room.first.locator("#answer-q1-text")).to_have_value("We send a car")  # typed, and not disturbed
    room.first.fill("#answer-q1-reason", "To see who is there")
    room.first.click("#answer-q1 button")
    expect(room.control.locator("#log-1")).to_contain_text("We send a car")
    expect(room.control.locator("#log-2")).to_contain_text("Nothing is written yet")
    room.control.select_option("#to", "2")
    room.control.fill("#message", "Look at the door")
    room.control.click("#message-part button")
    expect(room.control.locator("#message")).to_have_value("")
    expect(room.second.locator("#feed")).to_contain_text("Look at the door")
    expect(room.first.locator("#feed")).not_to_contain_text("Look at the door")
    room.control.click("#steps button:text-is('Hold')")
    expect(room.second.locator("#clock-line")).to_contain_text("Held")
    expect(room.second.locator("#feed")).not_to_contain_text("Inject 2")
    for tab in (room.control, room.wall, room.first, room.second):
        hold_to_account(tab)


@pytest.mark.sweep
def test_a_lost_network_and_a_killed_server_lose_nothing(room: Room) -> None:
    begin(room)
    room.first.fill("#answer-q1-text", "Kept while the line is down")
    room.first.fill("#answer-q1-reason", "Nobody knows yet")
    room.first.context.set_offline(True)
    expect(room.first.locator("#connection")).to_contain_text("No connection since")
    room.first.click("#answer-q1 button")
    expect(room.first.locator("#answer-q1 .govuk-error-message")).to_contain_text("There is no connection")
    room.second.fill("#answer-q1-text", "Written before the power went")
    room.second.fill("#answer-q1-reason", "It was time")
    room.second.click("#answer-q1 button")
    expect(room.second.locator("#log")).to_contain_text("Written before the power went")
    room.control.click("#steps button:text-is('Hold')")
    expect(room.control.locator("#clock-line")).to_contain_text("Held")
    room.server.kill()  # as kill -9
    expect(room.control.locator("#connection")).to_contain_text("No connection since")
    room.server.start()
    room.first.context.set_offline(False)
    for tab in (room.control, room.first):
        expect(tab.locator("#connection")).to_contain_text("The connection is back")
    expect(room.first.locator("#clock-line")).to_contain_text("Held")
    room.first.click("#answer-q1 button")
    expect(room.first.locator("#log")).to_contain_text("Kept while the line is down")
    for words in ("Written before the power went", "Kept while the line is down"):
        expect(room.control.locator("#screen")).to_contain_text(words)
    room.control.click("#steps button:text-is('Go on')")
    expect(room.second.locator("#clock-line")).to_contain_text("Going on")


@pytest.mark.sweep
def test_what_was_typed_is_there_after_a_reload_until_it_is_sent_or_one_signs_out(room: Room) -> None:
    begin(room)
    room.first.fill("#answer-q1-text", "Half a thought")
    room.first.reload()
    expect(room.first.locator("#answer-q1-text")).to_have_value("Half a thought")
    room.first.fill("#answer-q1-reason", "And its reason")
    room.first.click("#answer-q1 button")
    expect(room.first.locator("#log")).to_contain_text("Half a thought")
    room.first.reload()
    left = "() => Object.keys(sessionStorage).length"
    assert room.first.evaluate(left) == 0
    room.second.fill("#answer-q1-text", "Mine")
    assert room.second.evaluate(left) == 1
    room.second.click("header button:text-is('Sign out')")
    assert room.second.evaluate(left) == 0
