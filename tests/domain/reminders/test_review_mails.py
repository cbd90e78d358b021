"""Review dates: listed for authors and on their desk, and mailed to them once a month and no more."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.catalogue.models import SharedVersion
from portal.domain.people.models import PersonName
from portal.domain.reminders import services
from portal.domain.reminders.models import Message, MessageKind
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import SendingSettings, send_due_messages
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.mail import Relay
from tests.domain.reminders.post_office import open_office
from tests.factories.catalogue import make_guide, make_version
from tests.pages.authoring.desk import make_person_with, signed_in_client

HOURS = SendWindow()
PAGE = "/authoring/_reviews"
SOURCE = """
[[source]]
number = "12"
title = "Old guidance"
publisher = "A body"
kind = "primary"
checked_on = 2026-05-31
testable = true
"""


@pytest.fixture
def author(database) -> int:
    """D3001, an author with an address; Protect and a guide are to be reviewed by 31 May 2027."""
    make_version()
    make_guide("whom-to-call")
    person = make_person_with("D3001", "author")
    make_person_with("D3002", "publisher")
    with transaction():
        named = update(PersonName).where(PersonName.person_id == person)
        db.session.execute(named.values(email="d3001@westshire.example"))
    return person


def plan_on(*when: int) -> list[Message]:
    """Plan a day; returns all mails about reviews."""
    with time_machine.travel(datetime(*when, 12, tzinfo=UTC), tick=False), transaction():
        now = clock.now()
        services.plan_day(clock.london_day(now), at=now, hours=HOURS)
    return list(db.session.scalars(select(Message).where(Message.kind == MessageKind.REVIEW)))


def test_authors_get_one_mail_a_month_from_four_weeks_before(author):
    assert plan_on(2027, 5, 2) == []
    assert [mail.person_id for mail in plan_on(2027, 5, 3)] == [author]
    for day in (3, 4, 31):
        assert len(plan_on(2027, 5, day)) == 1
    assert len(plan_on(2027, 6, 1)) == 2
    with open_office() as office, time_machine.travel(datetime(2027, 6, 1, 12, tzinfo=UTC), tick=False):
        relay = Relay("127.0.0.1", office.port, sender="Portal <learning@westshire.example>", tls="none")
        send_due_messages(SendingSettings(relay, HOURS, "https://learning.westshire.example", "Westshire"))
        text = office.taken[0][1].get_body(("plain",)).get_content()

    assert "Protect: law & people (owner: Learning and development), which was to be reviewed by" in text
    assert "https://learning.westshire.example/authoring/_reviews" in text


def test_the_page_and_the_desk_say_what_is_to_be_reviewed(app, author):
    with transaction():
        db.session.add(
            SharedVersion(recorded_at=stamp(), name="_sources.toml", number=1, content=SOURCE.encode())
        )
    with time_machine.travel(datetime(2027, 5, 2, 12, tzinfo=UTC), tick=False):
        page = signed_in_client(app, "D3001").page(PAGE)
        assert page.h1 == "No text is to be reviewed now"
        assert "Each source was checked" in page.text
    with time_machine.travel(datetime(2027, 6, 1, 12, tzinfo=UTC), tick=False):
        client = signed_in_client(app, "D3001")
        page = client.page(PAGE)
        assert page.h1 == "2 texts to review"
        assert "Was to be reviewed by 31 May 2027 · owner: Learning and development" in page.text
        assert "12. Old guidance" in page.text
        assert "6 questions of Protect" in page.text
        assert "2 texts to review" in client.page("/desk").links
        assert "2 texts to review" in client.page("/authoring").links
