"""Two facilitators at the same instant, on a database whose writers really wait for each other."""

import json
from uuid import UUID

import pytest
import time_machine

from portal.platform.db import db
from tests.features.events.signing import RunningEvent, make_running_event
from tests.features.events.worlds import BEGUN, list_attendances, list_entries, list_outcomes
from tests.pages.decisions.test_at_once import send_at_once

pytestmark = pytest.mark.slow


@pytest.fixture
def event(serving):
    with time_machine.travel(BEGUN, tick=False):
        yield make_running_event(serving)


def both(event: RunningEvent, path: str, *fields: dict[str, str]) -> list[int]:
    """The answers' codes when the two facilitators send these forms together."""
    sends = []
    for person, sent in zip((event.world.facilitator, event.world.second), fields, strict=True):
        browser = event.browser_of(person)
        token = browser.page("/account").forms()[0].fields["csrf_token"]
        sends.append((browser, f"{event.root}/{path}", {"csrf_token": token, **sent}))
    codes = [answer.status_code for answer in send_at_once(event.app, sends)]
    db.session.rollback()  # what is read from here on is what they left
    return codes


def test_of_two_sign_offs_one_holds_and_there_is_one_record(event):
    name = f"outcome-{event.world.bookings[0]}"

    assert both(event, "sign-off", {name: "attended:"}, {name: "absent:sick"}) == [303, 303]
    assert both(event, "sign-off", {name: "attended:"}, {name: "attended:"}) == [303, 303]

    outcomes = list_outcomes()
    assert len(outcomes) == 1
    assert len(list_attendances()) == (outcomes[0].outcome == "attended")


def test_two_phones_that_send_the_same_entry_at_once_make_one(event):
    booking = str(event.world.bookings[0])
    rows = [
        {"key": UUID(int=number).hex, "id": booking, "kind": kind, "ago": 0}
        for number, kind in ((1, "present"), (2, "late"))
    ]

    codes = both(
        event, "register/entries", {"entries": json.dumps(rows)}, {"entries": json.dumps(rows[::-1])}
    )

    assert codes == [200, 200]
    assert sorted(entry.kind for entry in list_entries()) == ["late", "present"]
