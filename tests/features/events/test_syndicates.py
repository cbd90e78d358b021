"""Syndicates on the page: suggested, changed by choices, printed."""

import io

import pytest
import time_machine
from pypdf import PdfReader
from sqlalchemy import select

from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.features.events.signing import make_running_event
from tests.features.events.test_sign_off import chosen
from tests.features.events.worlds import BEGUN, get_booking

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def event(app):
    with time_machine.travel(BEGUN, tick=False):
        yield make_running_event(app, places=9)


def numbers(event):
    return [get_booking(booking).syndicate for booking in event.world.bookings]


def test_a_suggestion_is_filled_in_and_saved_as_it_was_changed(event):
    page = event.facilitator.page(f"{event.root}/syndicates")
    suggested = event.facilitator.page(page.links["Suggest balanced syndicates"])
    assert numbers(event) == [None] * 9

    choices = chosen(suggested)
    choices[f"syndicate-{event.world.bookings[0]}"] = ""
    shown = event.facilitator.press(suggested, "Save", **choices)

    assert "8 people moved." in shown.text
    assert numbers(event)[0] is None
    assert sorted(filter(None, numbers(event))) in ([1] * 4 + [2] * 4, [1] * 5 + [2] * 3, [1] * 3 + [2] * 5)


def test_a_person_who_was_not_moved_stays_where_another_facilitator_put_them(event):
    first = event.facilitator.page(f"{event.root}/syndicates")
    second = event.browser_of(event.world.second)
    name = "syndicate-{}".format
    mine, theirs = (name(booking) for booking in event.world.bookings[:2])

    second.press(second.page(f"{event.root}/syndicates"), "Save", **{theirs: "2"})
    event.facilitator.press(first, "Save", **{mine: "1", theirs: ""})

    assert numbers(event)[:2] == [1, 2]


@pytest.mark.parametrize("value", ["3", "0", "99999999999999999999", "²", "x"])
def test_a_forged_number_moves_nobody(event, value):
    page = event.facilitator.page(f"{event.root}/syndicates")

    event.facilitator.press(page, "Save", **{f"syndicate-{event.world.bookings[0]}": value})

    assert numbers(event) == [None] * 9


@pytest.mark.slow
@pytest.mark.parametrize(("what", "pages"), [("door-sheets", 3), ("name-cards", 2)])
def test_door_sheets_and_name_cards_are_tagged_and_name_their_people(event, what, pages):
    for number, booking in enumerate(event.world.bookings[:8]):
        get_booking(booking).syndicate = 1 + number % 2
    db.session.commit()

    answer = event.facilitator.get(f"{event.root}/syndicates/{what}.pdf")

    read = PdfReader(io.BytesIO(answer.data))
    text = " ".join(page.extract_text() for page in read.pages)
    assert b"pdfuaid" in answer.data
    assert len(read.pages) == pages
    assert all(f"Priya Shah {number}" in text for number in range(9))
    assert text.index("Syndicate 1") < text.index("Syndicate 2") < text.index("In no syndicate yet")
    printed = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "event.printed")).one()
    assert (printed.detail["people"], printed.detail["file"]) == (9, what)
