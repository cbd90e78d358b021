"""A taught event in a browser: planned, booked, full, waited for, offered, and moved under those who come."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar, Component
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from portal.platform.clock import LONDON
from portal.platform.wording import date as date_words
from tests.domain.reminders.post_office import Office, open_office
from tests.journeys import keyboard
from tests.journeys.posting import mail_settings
from tests.journeys.walking import (
    change,
    follow,
    h1,
    hold_to_account,
    press,
    sign_in,
    visitor,
)
from tests.running import Server, copied
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TITLE = "OIC Hydra: supervisors’ decisions"
FACILITATOR, MANAGER = "D5001", "D2002"  # the manager sees Investigation
LEARNER, BOOKED_BY_MANAGER, THIRD = "W3006", "W3001", "D2001"  # supervisors, of whom the event is required
FIRST_TO_COME = "EV-0002"  # of the demo, with a place of two of them
ROOM = "1"  # at headquarters
PHONE = 320
LEAST = 8  # places, by the event's type
FREE = 2  # of them; the others are kept for a unit of nobody in this journey


def monday_to_come() -> date:
    """A Monday in five weeks or so: the demo's own events are on other days."""
    today = datetime.now(LONDON).date()
    return today + timedelta(days=42 - today.weekday())


DAY = monday_to_come()
MOVED_TO = DAY + timedelta(days=1)


@pytest.fixture
def office() -> Iterator[Office]:
    """A relay."""
    with open_office() as opened:
        yield opened


@pytest.fixture
def server(small_force: Path, tmp_path: Path, office: Office) -> Iterator[Server]:
    """A portal that sends mail at any hour, with a password for one more person."""
    started = Server(copied(small_force, tmp_path / "instance"), more=mail_settings(office))
    added = change(
        started.instance,
        "INSERT INTO credential (person_id, password_hash, set_at, password_rule)"
        " SELECT person_name.person_id, password_hash, set_at, password_rule FROM person_name, credential"
        " WHERE staff_number = ? AND credential.person_id ="
        " (SELECT person_id FROM person_name WHERE staff_number = ?)",
        LEARNER, FACILITATOR,
    )  # fmt: skip
    assert added == 1
    try:
        yield started.start()
    finally:
        started.kill()


@contextmanager
def at_desk(browser: Browser, server: Server, person: str, width: int = 1280) -> Iterator[Tab]:
    """A tab in which this person is signed in."""
    with visitor(browser, server, width) as tab:
        sign_in(tab, person)
        yield tab


def said(tab: Tab) -> str:
    """The content as read."""
    return " ".join(tab.inner_text("main").split())


def plan_by_keyboard(tab: Tab) -> str:
    """From the list of events to a planned one, and places kept for a unit; returns its reference."""
    tab.goto("/events")
    hold_to_account(tab)
    keyboard.press_enter(tab, "main a[href='/events/new']")
    hold_to_account(tab)
    fields = [("day", date_words(DAY)), ("start", "09:00"), ("room", ROOM), ("places", str(LEAST))]
    keyboard.fill_in(tab, [*fields, ("syndicates", "2"), ("notes", "Bring your laptop.")])
    me = tab.locator("label:has-text('Lindqvist')").get_attribute("for")
    keyboard.walk_to(tab, f"#{me}")
    tab.keyboard.press("Space")
    keyboard.send(tab)
    assert "1 event is planned. Who runs it gets an email." in said(tab)
    assert (h1(tab), f"{LEAST} of {LEAST}" in said(tab)) == (TITLE, True)
    hold_to_account(tab)
    reference = tab.url.rsplit("/", 1)[-1]
    keep_by_keyboard(tab)
    return reference


def keep_by_keyboard(tab: Tab) -> None:
    """Keep all places but two for people in custody."""
    keyboard.press_enter(tab, "main a[href$='/reservations']")
    hold_to_account(tab)
    keyboard.walk_to(tab, "#unit")
    unit = tab.locator("#unit option").filter(has_text="Custody").last.inner_text()
    tab.keyboard.type(unit)
    fields = [("places", str(LEAST - FREE)), ("until_on", date_words(DAY - timedelta(days=7)))]
    keyboard.fill_in(tab, fields)
    keyboard.send(tab)
    assert f"{LEAST - FREE} places are kept for {unit}." in said(tab)
    hold_to_account(tab)


def book_on_a_phone(tab: Tab, reference: str, button: str) -> None:
    """From My learning to the event among the next dates, and to the answer."""
    tab.goto("/learning")
    hold_to_account(tab)
    follow(tab, TITLE)
    assert h1(tab) == "Places at events"
    hold_to_account(tab)
    follow(tab, f"{TITLE} {reference}")
    hold_to_account(tab)
    press(tab, button)
    hold_to_account(tab)


def download_entry(tab: Tab, reference: str) -> Component:
    """The event's entry for a calendar, by the link of its page."""
    tab.goto(f"/events/{reference}")
    hold_to_account(tab)
    with tab.expect_download() as download:
        tab.click("main a:has-text('Put it in your calendar')")
    return entry_in(download.value.path().read_bytes())


def entry_in(content: bytes | str) -> Component:
    (entry,) = Calendar.from_ical(content).walk("VEVENT")
    return entry


def entry_of(mail: EmailMessage) -> Component:
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    return entry_in(part.get_content())


def mail_to(office: Office, person: str, subject: str) -> EmailMessage:
    """The mail with this subject to this person, once it has come."""

    def found() -> list[EmailMessage]:
        return [m for m in office.to(f"{person.lower()}@westshire.example") if m["Subject"] == subject]

    until(found)
    (mail,) = found()
    return mail


def book_for_one_of_their_people(tab: Tab, earlier: str, reference: str) -> None:
    """Take one of their people from an earlier event, and book this one for them."""
    tab.goto(f"/events/{earlier}/people")
    press(tab, "Cancel")
    tab.goto(f"/events/{reference}")
    hold_to_account(tab)
    follow(tab, "Book your people")
    assert "Who still needs to attend" in said(tab)
    hold_to_account(tab)
    tab.check(f"main input[value='{BOOKED_BY_MANAGER}']")
    press(tab, "Book for them")
    assert "Booked for 1 person." in said(tab)
    hold_to_account(tab)


def hold_overview(tab: Tab, day: date) -> None:
    """The manager's overview says who attended and who is booked for this day."""
    tab.goto("/monitoring")
    assert re.search(r"[1-9] of your \d supervisors attended", said(tab))
    assert f"1 booked for {date_words(day)}" in said(tab)
    hold_to_account(tab)
    follow(tab, "Who needs a place")
    hold_to_account(tab)


def cancel_own(tab: Tab) -> None:
    """Give back the one place that this person has."""
    tab.goto("/events/places")
    follow(tab, TITLE)
    tab.check("input[name=reason][value=duties]")
    press(tab, "Cancel booking")
    assert "Your booking is cancelled." in said(tab)


def take_offer(tab: Tab) -> None:
    """From My learning to the place that is offered."""
    tab.goto("/learning")
    assert "A place is offered to you" in said(tab)
    hold_to_account(tab)
    follow(tab, TITLE)
    follow(tab, "Your place at this event")
    hold_to_account(tab)
    press(tab, "Take the place")
    assert "You have a place." in said(tab)


def move(tab: Tab, reference: str) -> None:
    """To the next day, with the reason."""
    tab.goto(f"/events/{reference}")
    follow(tab, "Change or move it")
    hold_to_account(tab)
    tab.fill("#day", date_words(MOVED_TO))
    press(tab, "Save the change")
    assert "Enter why it is moved" in said(tab)
    hold_to_account(tab)
    tab.fill("#reason", "The room is being painted.")
    press(tab, "Save the change")
    assert "The change is saved. 3 people get an email." in said(tab)
    hold_to_account(tab)


def test_an_event_is_planned_booked_waited_for_and_moved(
    browser: Browser, server: Server, office: Office
) -> None:
    booked, offer = f"{TITLE}, {date_words(DAY)}", f"A place is offered to you: {TITLE}"
    with (
        at_desk(browser, server, FACILITATOR) as facilitator,
        at_desk(browser, server, MANAGER) as manager,
        visitor(browser, server, PHONE, java_script_enabled=False) as learner,
        at_desk(browser, server, THIRD, PHONE) as third,
    ):
        reference = plan_by_keyboard(facilitator)

        sign_in(learner, LEARNER)
        book_on_a_phone(learner, reference, "Book a place")
        assert "You have a place." in said(learner)
        first = download_entry(learner, reference)
        begins = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=LONDON).astimezone(UTC)
        assert first["DTSTART"].dt.astimezone(UTC) == begins
        sent = entry_of(mail_to(office, LEARNER, booked))
        assert (sent["UID"], sent["SEQUENCE"]) == (first["UID"], 0)

        book_for_one_of_their_people(manager, FIRST_TO_COME, reference)
        hold_overview(manager, DAY)
        mail_to(office, BOOKED_BY_MANAGER, booked)

        cancel_own(third)  # of an earlier date
        book_on_a_phone(third, reference, "Join the wait list")
        assert "You are on the wait list." in said(third)
        cancel_own(learner)
        mail_to(office, THIRD, offer)
        take_offer(third)

        move(facilitator, reference)
        for person in (THIRD, BOOKED_BY_MANAGER, FACILITATOR):
            again = entry_of(mail_to(office, person, f"Changed: {TITLE}"))
            assert (again["UID"], again["SEQUENCE"]) == (first["UID"], 1)
        assert download_entry(learner, reference)["SEQUENCE"] == 1
        assert "This event was moved. The room is being painted." in said(learner)
        hold_overview(manager, MOVED_TO)
        third.goto("/learning")
        assert f"{date_words(MOVED_TO)}, 09:00" in said(third)
        assert "Moved: it was" in said(third)
        hold_to_account(third)
