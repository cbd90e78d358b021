"""What a learner takes along and finds again: due dates for a calendar, and what was mailed."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.domain.directives.models import Directive
from portal.domain.reminders.models import Delivery, Message, MessageKind, MessageLine
from portal.platform.db import db, transaction
from tests.factories.catalogue import make_version
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner, take
from tests.platform.formats.calendar_reading import read_events

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FILE = "/learning/due-dates.ics"


@pytest.fixture(autouse=True)
def _march(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=True)


def test_due_dates_come_as_a_calendar_with_names_that_stay(app: Flask, client: PortalClient) -> None:
    make_version("protect", title="Protect; the law, plainly")
    make_version("respond")
    ask("protect", "respond")
    learner(client)
    link = client.page("/learning").links["Put the due dates in your calendar (ICS)"]

    answer = client.get(link)

    assert link == FILE
    assert answer.mimetype == "text/calendar"
    assert "due-dates.ics" in answer.headers["Content-Disposition"]
    first, second = read_events(answer.data)
    assert first["SUMMARY"] == "Last day to complete: Protect; the law, plainly"
    assert first["DESCRIPTION"] == "About 20 minutes left. Directive OIC-2026: E-learning OIC-2026."
    assert first["DTSTART"] == second["DTSTART"] == "20260430"
    ask("protect", "respond", due="2026-06-30", effective="2026-03-01")
    moved = read_events(client.get(FILE).data)
    assert [event["DTSTART"] for event in moved] == ["20260630"] * 2
    assert [event["UID"] for event in moved] == [first["UID"], second["UID"]]
    colleague = another(app)
    learner(colleague, "D1002")
    others = {event["UID"] for event in read_events(colleague.get(FILE).data)}
    assert len({first["UID"], second["UID"]} | others) == 4


def test_what_is_complete_or_past_is_no_entry(
    client: PortalClient, time_machine: time_machine.TimeMachineFixture
) -> None:
    make_version()
    ask("protect", due="2026-03-02")
    learner(client)
    assert len(read_events(client.get(FILE).data)) == 1

    take(client, 4)

    assert read_events(client.get(FILE).data) == []
    assert "calendar" not in client.page("/learning").text


def send(person: int, state: Delivery, kind: MessageKind, *, days_ago: int = 1) -> None:
    """A message to the person, as the outbox keeps it; a reminder with one line."""
    at = NOW - timedelta(days=days_ago)
    with transaction():
        row = Message(
            reference=uuid4(), person_id=person, kind=kind, email="d@example.org", state=state,
            created_at=at, not_before=at, sent_at=at if state is Delivery.SENT else None,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        if kind is MessageKind.REMINDER:
            directive_id = db.session.scalars(select(Directive.id)).one()
            line = {"directive_id": directive_id, "about_id": person, "reason": "overdue", "created_at": at}
            db.session.add(MessageLine(message_id=row.id, **line))


def test_what_was_mailed_is_in_the_portal_too(app: Flask, client: PortalClient) -> None:
    make_version()
    ask("protect")
    me, colleague = learner(client), learner(another(app), "D1002")
    assert "Nothing was sent." in client.page("/learning/messages").text
    send(me, Delivery.SENT, MessageKind.REMINDER)
    send(me, Delivery.BOUNCED, MessageKind.RESET, days_ago=2)
    send(me, Delivery.DROPPED, MessageKind.REMINDER, days_ago=3)
    send(me, Delivery.SENT, MessageKind.RESET, days_ago=181)
    send(colleague, Delivery.SENT, MessageKind.INVITATION)

    page = client.page(client.page("/learning").links["Messages to you"])

    assert page.h1 == "Messages to you"
    assert "Reminder OIC-2026: overdue 09:00 on 1 March 2026" in page.text
    assert "The email could not be delivered." in page.text
    assert page.text.count("About your account") == 1
    assert page.text.count("Reminder OIC") == 1
    assert "invitation" not in page.text
