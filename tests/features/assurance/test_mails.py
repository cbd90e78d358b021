"""Owners hear of what no longer holds: at once when there is more of it, otherwise once a week."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.catalogue.services import set_force_values
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.people.models import PersonName
from portal.domain.reminders import services
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import SendingSettings, send_due_messages
from portal.features.assurance.evidence import EvidenceEntry, add_evidence, withdraw_evidence
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.mail import Relay
from tests.domain.reminders.post_office import open_office
from tests.factories.people import make_person, make_unit
from tests.features.assurance.factories import give_owner, make_recommendation
from tests.features.force_plan.factories import publish_next_plan

HOURS = SendWindow()
BEGUN = datetime(2026, 5, 1, 9, tzinfo=UTC)
WORDS = {"text": "Every unit has the checklist.", "post": "Head of Crime"}


@pytest.fixture
def owner(database) -> int:
    """Somebody with two signed statements, to be reviewed by 8 May and by 11 May 2026."""
    with time_machine.travel(BEGUN, tick=False):
        person = make_person(make_unit("Crime"), staff_number="D4001")
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


def own_plan(owner: int) -> None:
    """The owner of the statements owns a plan too, published on 1 May 2026, to be reviewed by 30 May."""
    with time_machine.travel(BEGUN, tick=False):
        other = make_person(make_unit("Contact"))
        give_owner(make_recommendation("plan", title="A clear plan"), owner, by=other)
        publish_next_plan(other, owner, review_on=date(2026, 5, 30))


def change_details(day: int, hour: int, **values: str) -> None:
    """Somebody changes by hand what lessons show."""
    with time_machine.travel(datetime(2026, 5, day, hour, tzinfo=UTC), tick=False), transaction():
        set_force_values(shared_content().values | values, by=None)


def test_the_owner_of_the_plan_hears_of_it_by_the_same_rule(owner):
    own_plan(owner)
    for reference in ("E-0001", "E-0002"):
        with time_machine.travel(BEGUN, tick=False), transaction():
            withdraw_evidence(reference, from_on=date(2026, 5, 1), reason="Old.", by=owner, at=BEGUN)
    assert plan_on(20) == 0

    change_details(20, 15, sharing_plan="plan W-40")
    counts = {day: plan_on(day) for day in (21, 22, 27, 28, 31)}

    assert counts == {21: 1, 22: 1, 27: 1, 28: 2, 31: 2}


def test_one_mail_tells_of_evidence_and_of_the_plan(owner):
    own_plan(owner)
    assert (plan_on(12), plan_on(13)) == (1, 1)
    change_details(13, 15, sharing_plan="plan W-40")  # after the mails of the 13th were planned
    assert plan_on(14) == 2

    with time_machine.travel(datetime(2026, 5, 14, 12, tzinfo=UTC), tick=False):
        text = send_all()

    assert "E-0002, Reviewed on the 11th: Its review was due on 11 May 2026." in text
    plan = "The plan to collect, analyse and share: Lessons and guides show something else under"
    assert text.count(plan) == 1


def test_a_plan_that_holds_again_is_not_mailed(owner):
    own_plan(owner)
    shown = shared_content().values["sharing_plan"]
    change_details(2, 15, sharing_plan="plan W-40")
    assert plan_on(3) == 1
    change_details(3, 14, sharing_plan=shown)

    with time_machine.travel(datetime(2026, 5, 3, 15, tzinfo=UTC), tick=False):
        assert send_all() == ""
    assert db.session.scalars(select(Message.state)).all() == [Delivery.DROPPED]


def send_all() -> str:
    """Send what waits; returns the text of the one mail, "" if there was none."""
    with open_office() as office:
        relay = Relay("127.0.0.1", office.port, sender="Portal <learning@westshire.example>", tls="none")
        send_due_messages(SendingSettings(relay, HOURS, "https://learning.westshire.example", "Westshire"))
        return office.taken[0][1].get_body(("plain",)).get_content() if office.taken else ""
