"""The plenary in a browser: a phone without scripts, the keyboard alone, and decisions on a wide screen."""

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from sqlalchemy import select

from config import Config
from portal.domain.people.queries import person_by_staff_number
from portal.features.events.models import Event
from portal.features.exercises.models import ExerciseRun
from portal.platform.db import db, stamp, transaction
from tests.databases import portal_on
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type, make_exercise
from tests.features.exercises.room import Room, add_answer, add_step
from tests.journeys.keyboard import press_enter, walk_to
from tests.journeys.walking import follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
FACILITATOR, FIRST, SECOND = "D5001", "D1001", "D2001"


def run_opened(server: Server) -> str:
    """The address of the plenary of a run at an event with two syndicates, each with a decision."""
    with portal_on(Config(mode="demo", instance=server.instance)) as app, app.app_context():
        people = {number: person_by_staff_number(number) for number in (FACILITATOR, FIRST, SECOND)}
        event = make_event(
            make_event_type(key="made-here"), make_event_room("Made here"), people[FACILITATOR]
        )
        for syndicate, number in enumerate((FIRST, SECOND), start=1):
            make_booking(event, people[number], syndicate=syndicate)
        version = make_exercise("made-here")
        with transaction():
            run = ExerciseRun(
                recorded_at=stamp(),
                reference="EX-9001",
                exercise_version_id=version,
                event_id=db.session.scalar(select(Event.id).where(Event.reference == event)),
                kind="event",
                syndicates=2,
                opened_by_id=people[FACILITATOR],
            )
            db.session.add(run)
            db.session.flush()
            number = run.id
        room = Room(app, {**people, "D1001": people[FIRST]}, number, "EX-9001")
        add_step(room, "start")
        for syndicate in (1, 2):
            add_answer(room, syndicate, f"We would call the duty inspector, said {syndicate}", "No other car")
        add_step(room, "plenary")
    return "/exercises/EX-9001/plenary"


def lead(tab: Tab, address: str, button: str) -> None:
    tab.goto(f"{address}/hard/lead")
    press(tab, button)
    hold_to_account(tab)


def test_a_room_speaks_on_phones_and_by_keyboard(browser: Browser, server: Server) -> None:
    address = run_opened(server)
    with (
        visitor(browser, server) as leader,
        visitor(browser, server, 320, java_script_enabled=False) as phone,
        visitor(browser, server) as keyboard,
    ):
        for tab, number in ((leader, FACILITATOR), (phone, FIRST), (keyboard, SECOND)):
            sign_in(tab, number)
        lead(leader, address, "Let the room write statements")
        write_on_phone(phone, address)
        write_by_keyboard(keyboard, address)
        lead(leader, address, "Show the statements")
        leader.get_by_label("We had no second car").check()
        leader.fill("#theme", "Resources")
        press(leader, "Put into this group")
        hold_to_account(leader)
        lead(leader, address, "Let the room rank them")
        phone.goto(f"{address}/hard/ranking")
        phone.get_by_label("We had no second car").check()
        press(phone, "Send your choice")
        assert "Your choice is counted" in phone.inner_text("main")
        lead(leader, address, "Show them with their points")
        phone.goto(address)
        assert "We had no second car (1 point)" in phone.inner_text("main")
        hold_to_account(phone)
        write_action(leader, address)
        keyboard.goto(address)
        follow(keyboard, "Compare the decisions")
        assert h1(keyboard) == "Decisions side by side"
        tops = [box["y"] for box in boxes(keyboard)]
        assert len(tops) == 2, "each syndicate has its column"
        assert tops[0] == tops[1]
        hold_to_account(keyboard)


def write_on_phone(tab: Tab, address: str) -> None:
    tab.goto(address)
    follow(tab, "Write a statement")
    hold_to_account(tab)
    tab.fill("#text", "We had no second car")
    press(tab, "Send without your name")
    assert "Nobody can tell that it is yours" in tab.inner_text("main")


def write_by_keyboard(tab: Tab, address: str) -> None:
    tab.goto(address)
    press_enter(tab, "main a.govuk-button")
    walk_to(tab, "#text")
    tab.keyboard.type("Nobody owned the log")
    press_enter(tab, "main form button")
    assert "Nobody can tell that it is yours" in tab.inner_text("main")


def write_action(tab: Tab, address: str) -> None:
    tab.goto(address.replace("plenary", "actions"))
    press(tab, "Write it down")
    assert "Enter what is to be done" in tab.inner_text("main")
    hold_to_account(tab)
    tab.fill("#what", "Brief the night shift")
    tab.fill("#owner", "Duty inspector")
    tab.fill("#due_on", "31 May 2027")
    press(tab, "Write it down")
    assert "Brief the night shift" in tab.inner_text("main table")
    hold_to_account(tab)


def boxes(tab: Tab) -> list[dict[str, float]]:
    found = tab.locator("h4").filter(has_text="Syndicate").all()
    return [dict(one.bounding_box() or {}) for one in found]
