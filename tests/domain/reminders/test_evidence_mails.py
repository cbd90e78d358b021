"""Owners hear of evidence that no longer holds: at once when there is more of it, otherwise once a week."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.assurance.evidence.writing import EvidenceEntry, add_evidence, withdraw_evidence
from portal.domain.people.models import PersonName
from portal.domain.reminders import services
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.send_window import SendWindow
from portal.domain.reminders.sending import SendingSettings, send_due_messages
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.mail.smtp import Relay
from tests.domain.reminders.post_office import open_office
from tests.factories.assurance import make_recommendation
from tests.factories.people import make_person, make_unit

HOURS = SendWindow()
BEGUN = datetime(2026, 5, 1, 9, tzinfo=UTC)
WORDS = {"text": "Every unit has the checklist.", "post": "Head of Crime"}


@pytest.fixture
def owner(database) -> int:
    """Somebody with two signed statements, to be reviewed by 8 May and by 11 May 2026."""
    person = make_person(make_unit("Crime"), staff_number="D4001")
    with time_machine.travel(BEGUN, tick=False):
        make_recommendation()
        for day in (8, 11):
            entry = EvidenceEntry(
                f"Reviewed on the {day}th", WORDS, person, date(2026, 5, day), date(2026, 5, 1)
            )
            with transaction():
                add_evidence("e-learning", "statement", entry, by=person, at=BEGUN)
    return person


def plan_on(day: int, month: int = 5) -> int:
    """Plan a day; returns how many mails about evidence there are since the beginning."""
    with time_machine.travel(datetime(2026, month, day, 12, tzinfo=UTC), tick=False), transaction():
        now = clock.now()
        services.plan_day(clock.london_day(now), at=now, hours=HOURS)
    mails = select(Message.id).where(Message.kind == MessageKind.EVIDENCE_STALE)
    return len(db.session.scalars(mails).all())


def test_an_owner_hears_of_more_at_once_and_of_the_same_once_a_week(owner):
    counts = {day: plan_on(day) for day in (8, 9, 10, 11, 12, 13, 18, 19, 20)}

    assert counts == {8: 0, 9: 1, 10: 1, 11: 1, 12: 2, 13: 2, 18: 2, 19: 3, 20: 3}


def test_the_mail_says_what_does_not_hold_when_it_is_sent(owner):
    plan_on(12)
    with time_machine.travel(datetime(2026, 5, 12, 12, tzinfo=UTC), tick=False):
        with transaction():
            withdraw_evidence("E-0001", from_on=date(2026, 5, 12), reason="Old.", by=owner, at=clock.now())
        text = send_all()

    assert "E-0002, Reviewed on the 11th: Its review was due on 11 May 2026." in text
    assert "E-0001" not in text
    assert "https://learning.westshire.example/assurance/mine" in text


def test_a_mail_that_is_not_needed_any_more_is_dropped(owner):
    plan_on(9)
    with time_machine.travel(datetime(2026, 5, 9, 13, tzinfo=UTC), tick=False):
        with transaction():
            withdraw_evidence("E-0001", from_on=date(2026, 5, 9), reason="Old.", by=owner, at=clock.now())
        assert send_all() == ""

    states = db.session.scalars(select(Message.state).where(Message.kind == MessageKind.EVIDENCE_STALE))
    assert states.all() == [Delivery.DROPPED]


def test_evidence_of_nobody_is_mailed_to_nobody(owner):
    db.session.execute(update(PersonName).where(PersonName.person_id == owner).values(email=""))
    db.session.commit()

    assert plan_on(9) == 0


def send_all() -> str:
    """Send what waits; returns the text of the one mail, "" if there was none."""
    with open_office() as office:
        relay = Relay("127.0.0.1", office.port, sender="Portal <learning@westshire.example>", tls="none")
        send_due_messages(SendingSettings(relay, HOURS, "https://learning.westshire.example", "Westshire"))
        return office.taken[0][1].get_body(("plain",)).get_content() if office.taken else ""
