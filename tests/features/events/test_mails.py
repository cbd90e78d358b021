"""Mails about events: who gets which, with an entry that the reader's calendar puts in, replaces, removes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import time_machine
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from portal.domain.reminders.models import Message
from portal.features.events import services as events
from portal.features.events.models import Booking
from portal.features.events.services import EventPlan
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, transaction
from tests.domain.imports.rosters import run
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.factories.events import EVENT_START, make_booking, make_event_room, make_event_type
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
HOST, GUEST = "d5001@westshire.example", "d1001@westshire.example"


class Stage:
    """An event that D5001 runs, D1001 who comes, and the relay's office."""

    def __init__(self, app: Flask, office: Office) -> None:
        self.app, self.office = app, office
        unit = make_unit("Training")
        self.host = make_person(unit, staff_number="D5001", forenames="Ines", surname="Vale")
        make_grant(self.host, "facilitator")
        self.guest = make_account("D1001")
        start = EVENT_START
        self.plan = EventPlan(
            make_event_type(), start, 240, make_event_room(), 2, 14, (self.host,), "Bring a pen."
        )
        with transaction():
            self.reference = events.plan_events([self.plan], by=self.host, at=NOW)[0]

    def act(self, action: str, person: int, **detail: object) -> None:
        """As booking does it: the state is set, then the act is logged."""
        with transaction():
            log(action, actor_id=person, subject_id=person, event=self.reference, **detail)

    def send(self) -> list[EmailMessage]:
        """What the job sends now."""
        count = len(self.office.taken)
        assert run(self.app, "reminders", "send").exit_code == 0
        return [mail for _, mail in self.office.taken[count:]]

    def book(self, state: str = "booked") -> None:
        """D1001 gets a place, or the offer of one."""
        make_booking(self.reference, self.guest, state=state)
        self.act("booking.offered" if state == "offered" else "booking.made", self.guest, state=state)

    def end_booking(self, state: str) -> None:
        """D1001's booking ends."""
        with transaction():
            booking = db.session.scalars(select(Booking)).one()
            booking.state = state
        self.act(f"booking.{state}", self.guest, state=state)


@pytest.fixture
def stage(app: Flask, database: None) -> Iterator[Stage]:
    with time_machine.travel(NOW, tick=False), set_office(app) as office:
        yield Stage(app, office)


def entry_of(mail: EmailMessage):
    """The method of the mail's calendar entry, and the entry."""
    part = mail.get_body(("calendar",)) or next(
        (part for part in mail.walk() if part.get_content_type() == "text/calendar"), None
    )
    assert part is not None
    calendar = Calendar.from_ical(part.get_content())
    assert str(calendar["METHOD"]) == part.get_param("method")
    return part.get_param("method"), calendar.walk("VEVENT")[0]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_place_a_move_and_a_cancellation_are_one_entry_in_the_calendar(stage: Stage) -> None:
    stage.book()
    booked = [mail for mail in stage.send() if GUEST in mail["To"]]
    moved_to = replace(stage.plan, starts_at=EVENT_START + timedelta(days=1))
    with transaction():
        events.change_event(
            stage.reference, moved_to, number=0, reason="The trainer is ill.", by=stage.host, at=NOW
        )
    moved = [mail for mail in stage.send() if GUEST in mail["To"]]
    with transaction():
        events.cancel_event(stage.reference, number=1, reason="No trainer.", by=stage.host, at=NOW)
    cancelled = [mail for mail in stage.send() if GUEST in mail["To"]]

    mails = [*booked, *moved, *cancelled]
    assert [mail["Subject"] for mail in mails] == [
        "OIC Hydra, 10 June 2026", "Changed: OIC Hydra", "Cancelled: OIC Hydra",
    ]  # fmt: skip
    entries = [entry_of(mail) for mail in mails]
    assert [method for method, _ in entries] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({str(entry["UID"]) for _, entry in entries}) == 1
    assert [entry["SEQUENCE"] for _, entry in entries] == [0, 1, 2]
    assert "11 June 2026, 09:30 to 13:30" in text_of(moved[0])
    assert "Why: The trainer is ill." in text_of(moved[0])
    assert "Why: No trainer." in text_of(cancelled[0])


def test_who_runs_an_event_is_told_too_and_when_somebody_else_does(stage: Stage) -> None:
    named = stage.send()
    assert [(mail["To"], entry_of(mail)[0]) for mail in named] == [(f"Ines Vale <{HOST}>", "REQUEST")]
    assert "You run this event:" in text_of(named[0])

    other = make_person(make_unit("Elsewhere"))
    make_grant(other, "facilitator")
    with transaction():
        events.change_event(
            stage.reference, replace(stage.plan, facilitators=(other,)), number=0, reason="",
            by=stage.host, at=NOW,
        )  # fmt: skip
    methods = {mail["To"].rpartition("<")[2]: entry_of(mail)[0] for mail in stage.send()}
    assert methods[f"{HOST}>"] == "CANCEL"
    assert sorted(methods.values()) == ["CANCEL", "REQUEST"]


def test_an_offer_says_until_when_and_puts_nothing_into_the_calendar(stage: Stage) -> None:
    stage.send()
    stage.book("offered")

    offer = stage.send()

    assert [mail["Subject"] for mail in offer] == ["A place is offered to you: OIC Hydra"]
    assert "until 10:00 on 22 May 2026" in text_of(offer[0])
    assert "text/calendar" not in [part.get_content_type() for part in offer[0].walk()]


def test_who_waits_or_gave_up_waiting_gets_no_mail_and_who_had_a_place_does(stage: Stage) -> None:
    stage.send()
    stage.book("waiting")
    stage.end_booking("cancelled")
    assert stage.send() == []
    with transaction():
        db.session.scalars(select(Booking)).one().state = "left"
    stage.book()
    stage.send()
    with transaction():
        booking = db.session.scalars(select(Booking).where(Booking.state == "booked")).one()
        booking.state = "cancelled"
    stage.act("booking.cancelled", stage.guest, state="cancelled")

    ended = stage.send()
    assert [(mail["Subject"], entry_of(mail)[0]) for mail in ended] == [("No place: OIC Hydra", "CANCEL")]


def test_a_mail_that_a_later_one_overtook_is_not_sent(stage: Stage) -> None:
    stage.book()
    with transaction():
        events.cancel_event(stage.reference, number=0, reason="No trainer.", by=stage.host, at=NOW)

    assert {mail["Subject"] for mail in stage.send()} == {"Cancelled: OIC Hydra"}
    reasons = db.session.scalars(select(Message.reason).where(Message.state == "dropped")).all()
    assert reasons == ["A later message says what holds now."] * 2


def test_reminders_come_seven_days_and_one_day_before_once_even_where_a_day_was_left_out(
    stage: Stage,
) -> None:
    stage.book()
    stage.send()
    sent = {}
    for day in (2, 4, 5, 8, 9, 10):  # the third of June, seven days before, was left out
        with time_machine.travel(datetime(2026, 6, day, 9, 0, tzinfo=UTC), tick=False):
            assert run(stage.app, "reminders", "plan").exit_code == 0
            if mails := stage.send():
                sent[day] = sorted(mail["Subject"] for mail in mails)

    assert sent == dict.fromkeys((4, 9), ["On 10 June 2026: OIC Hydra"] * 2)


@pytest.mark.slow
def test_the_link_of_a_mail_opens_the_event(stage: Stage, app: Flask) -> None:
    stage.book()
    mail = next(mail for mail in stage.send() if GUEST in mail["To"])
    browser = PortalClient(app)
    let_in(browser)

    page = browser.page(f"/events/{stage.reference}")

    assert f"/events/{stage.reference}" in text_of(mail)
    assert page.h1 == "OIC Hydra"
    assert clock.now() == NOW


def test_people_see_in_words_what_was_sent_to_them(stage: Stage, app: Flask) -> None:
    stage.book()
    stage.send()
    browser = PortalClient(app)
    let_in(browser)

    page = browser.page("/learning/messages")

    assert "Event: place booked" in page.text
