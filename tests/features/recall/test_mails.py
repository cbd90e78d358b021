"""Mail about recall: once for what has become due, to its reader alone, and none where it is turned off."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.people.models import PersonName
from portal.domain.people.queries import viewer_of
from portal.domain.reminders import queries, services
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import SendingSettings, list_own_messages, send_due_messages
from portal.features.recall import services as recall
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.mail import Relay
from tests.domain.reminders.post_office import open_office
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant
from tests.pages.account.browsing import let_in, make_account
from tests.pages.learning.working import learner, take

PASSED = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday
HOURS = SendWindow()


@pytest.fixture
def passed(client) -> int:
    """D1001, who has an address, passed Protect on 1 June 2026; returns the person's id."""
    with time_machine.travel(PASSED, tick=False):
        make_version(items=12)
        person = learner(client)
        take(client, 4)
        with transaction():
            statement = update(PersonName).where(PersonName.person_id == person)
            db.session.execute(statement.values(email="d1001@westshire.example"))
    return person


def plan_after(days: int) -> list[Message]:
    """Plan the day so long after the pass; returns all mails about recall."""
    with time_machine.travel(PASSED + timedelta(days=days), tick=False), transaction():
        now = clock.now()
        services.plan_day(clock.london_day(now), at=now, hours=HOURS)
    return list(db.session.scalars(select(Message).where(Message.kind == MessageKind.RECALL)))


def send_after(days: int) -> list[str]:
    """Send what waits so long after the pass; returns the mails."""
    with open_office() as office, time_machine.travel(PASSED + timedelta(days=days), tick=False):
        relay = Relay("127.0.0.1", office.port, sender="Portal <learning@westshire.example>", tls="none")
        send_due_messages(SendingSettings(relay, HOURS, "https://learning.westshire.example", "Westshire"))
        return [letter.get_body(("plain",)).get_content() for _, letter in office.taken]


def test_one_mail_with_one_link_when_it_is_due_and_no_second_for_the_same(client, passed):
    assert plan_after(6) == []
    assert len(plan_after(7)) == 1
    (text,) = send_after(7)

    assert re.findall(r"https://\S+", text) == ["https://learning.westshire.example/learning/recall"]
    assert "Protect, which you passed on 1 June 2026" in text
    with time_machine.travel(PASSED + timedelta(days=7), tick=False):
        let_in(client)
        assert client.page("/learning/recall").links["Three questions from Protect"]
    for days in (8, 20, 90):
        assert len(plan_after(days)) == 1


def test_who_turned_it_off_gets_none_and_one_that_waits_is_dropped(passed):
    plan_after(7)
    with transaction():
        recall.turn_off(passed, at=PASSED + timedelta(days=7))

    assert send_after(7) == []
    assert [row.state for row in plan_after(8)] == [Delivery.DROPPED]


def test_nobody_is_written_to_about_what_was_due_long_before(passed):
    assert plan_after(60) == []


def test_the_outbox_shows_it_to_nobody_but_its_reader(passed):
    plan_after(7)
    send_after(7)
    at = PASSED + timedelta(days=7)
    administrator = make_account("D9001")
    for role in ("administrator", "directive-owner", "auditor"):
        make_grant(administrator, role)
    viewer, own = viewer_of(administrator), viewer_of(passed)
    assert viewer
    assert own

    assert queries.list_outbox(viewer, None, 0, 50) == []
    assert sum(queries.count_by_delivery(viewer).values()) == 0
    assert [message.kind for message in list_own_messages(own, at)] == [MessageKind.RECALL]
