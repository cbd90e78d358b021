"""The outbox against a real relay: it accepts, refuses, stalls and dies; nothing is lost or doubled."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.domain.directives.applies import RuleHistory
from portal.domain.people.models import PersonName, Post
from portal.domain.reminders import queries, sending, services
from portal.domain.reminders.models import Delivery, Message, MessageKind, MessageLine
from portal.domain.reminders.rules import LATE, ReminderReason, SendWindow
from portal.domain.reminders.sending import SendingRound, SendingSettings, send_due_messages
from portal.domain.status.projector import load_facts
from portal.domain.status.rules import compute_status, group_facts_by_position
from portal.platform import clock
from portal.platform.db import db, stamp, touch, transaction
from portal.platform.mail import Letter, Recipient, Relay, RelayError, mail_of
from tests.domain.reminders.post_office import Office, open_office
from tests.domain.status.facts import make_exclusion, make_record
from tests.pages.monitoring.world import World, make_world

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 11, tzinfo=UTC)  # twenty days after the due date of the world
SHAH, CASTELL, OKAFOR = "d1001@westshire.example", "n2@westshire.example", "d2001@westshire.example"
HOURS = SendWindow()


@pytest.fixture
def office() -> Iterator[Office]:
    with open_office() as opened:
        yield opened


@pytest.fixture
def world(app: Flask, database: None) -> Iterator[World]:
    """Four are overdue: D1001 (managed by D2001), N2, S1 and nobody else; planned for 20 May, at noon."""
    made = make_world()
    with time_machine.travel(NOON, tick=False):
        yield made


def relay_of(office: Office, **more: object) -> Relay:
    given: dict[str, object] = {"tls": "none", "seconds": 1.0, "per_minute": 60_000, **more}
    return Relay("127.0.0.1", office.port, sender="Learning portal <learning@westshire.example>", **given)  # type: ignore[arg-type]


def settings(office: Office, **more: object) -> SendingSettings:
    return SendingSettings(
        relay_of(office, **more), HOURS, "https://learning.westshire.example", "Westshire Police"
    )


def plan(day: date | None = None) -> services.ReminderPlan:
    now = clock.now()
    with transaction():
        return services.plan_day(day or clock.london_day(now), at=now, hours=HOURS)


def send(office: Office, **more: object) -> SendingRound:
    return send_due_messages(settings(office, **more))


def states() -> dict[str, str]:
    rows = db.session.execute(
        select(PersonName.staff_number, Message.state).join(
            Message, Message.person_id == PersonName.person_id
        )
    )
    return {number: state for number, state in rows}


def test_those_who_are_late_are_written_to_once_and_their_manager_hears_of_it(
    world: World, office: Office
) -> None:
    with time_machine.travel(NOON - timedelta(days=5), tick=False):
        plan()  # 15 May: the third weekly reminder
    made = send(office)

    assert made == SendingRound(sent=3)
    assert {address for address, _ in office.taken} == {SHAH, CASTELL, "s1@westshire.example"}
    assert send(office) == SendingRound()
    assert len(office.taken) == 3
    assert states() == {"D1001": "sent", "N2": "sent", "S1": "sent"}
    mail = office.to(SHAH)[0]
    assert mail["Subject"] == "Overdue: A directive"
    assert mail["From"] == "Learning portal <learning@westshire.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",))
    page = mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "overdue since 30 April 2026, 20 days ago" in text.get_content()
    assert "https://learning.westshire.example/learning" in text.get_content()
    assert "Still to complete" in text.get_content()
    assert '<meta name="viewport"' in page.get_content()
    assert "<script" not in page.get_content()


def test_the_line_manager_is_told_of_those_who_stay_late(world: World, office: Office) -> None:
    with time_machine.travel(NOON + timedelta(days=1), tick=False):  # 21 May: 14 days late, and one week
        plan()
        send(office)
    mail = office.to(OKAFOR)[0]
    assert mail["Subject"] == "1 person you manage is overdue"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "Priya Shah (D1001): overdue since 30 April 2026" in text.get_content()
    assert len(office.to(OKAFOR)) == 1


def test_a_day_is_planned_once(world: World) -> None:
    plan(date(2026, 5, 15))
    lines = len(db.session.scalars(select(MessageLine.id)).all())
    assert lines
    plan(date(2026, 5, 15))
    assert len(db.session.scalars(select(MessageLine.id)).all()) == lines


def test_what_was_done_meanwhile_is_not_asked_for(world: World, office: Office) -> None:
    """Between plan and post one passes, one is exempt, one leaves: none of them is chased."""
    plan(date(2026, 5, 15))
    for activity in world.activities.values():
        make_record(world.people["D1001"], activity, date(2026, 5, 19))
    make_exclusion(world.people["N2"], world.directive, date(2026, 5, 1))
    leave(world.people["S1"], date(2026, 5, 18))

    assert send(office) == SendingRound(dropped=3)
    assert office.taken == []
    assert set(states().values()) == {"dropped"}


def leave(person: int, last: date) -> None:
    with transaction():
        at = stamp()
        post = db.session.scalars(select(Post).where(Post.person_id == person)).one()
        kept = ("post_key", "rank_or_grade", "designated_role", "unit_id", "line_manager_id", "valid_from")
        values = {name: getattr(post, name) for name in kept}
        db.session.add(Post(recorded_at=at, replaces_id=post.id, person_id=person, valid_to=last, **values))
        touch(people=[person])


@pytest.mark.parametrize("hour", [0, 3, 6, 20, 23])
def test_nothing_goes_at_night(world: World, office: Office, hour: int) -> None:
    night = datetime(2026, 5, 15, hour, 30, tzinfo=clock.LONDON)
    with time_machine.travel(night, tick=False):
        plan()
        assert send(office) == SendingRound()
    morning = datetime(2026, 5, 16, 7, tzinfo=clock.LONDON)
    with time_machine.travel(morning, tick=False):
        assert send(office).sent == 3


def test_nobody_gets_two_mails_on_a_day(world: World, office: Office) -> None:
    plan(date(2026, 5, 15))
    send(office)
    about = queries.directive_named("OIC-2026", date(2026, 5, 20))
    with transaction():
        services.queue_nudge(
            world.people["D1001"], about, by=world.people["D2001"], at=clock.now(), hours=HOURS
        )
    assert send(office) == SendingRound()  # it waits for tomorrow
    assert len(office.to(SHAH)) == 1
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert send(office) == SendingRound(sent=1)
    text = office.to(SHAH)[1].get_body(("plain",))
    assert text is not None
    assert "Your manager asked for this reminder." in text.get_content()


def test_a_refused_address_is_recorded_and_tried_again_when_asked(world: World, office: Office) -> None:
    office.refuse.add(SHAH)
    office.spoil.add(CASTELL)
    plan(date(2026, 5, 15))
    assert send(office) == SendingRound(sent=1, refused=2)
    assert states() == {"D1001": "refused", "N2": "refused", "S1": "sent"}
    row = db.session.scalars(select(Message).where(Message.person_id == world.people["D1001"])).one()
    assert row.reason == "The relay said 550: 5.1.1 No such mailbox"
    office.refuse.clear()
    with transaction():
        services.requeue_message(row, by=world.people["D6001"], at=clock.now(), hours=HOURS)
    assert send(office) == SendingRound(sent=1)
    assert len(office.to(SHAH)) == 1


def test_a_busy_relay_is_asked_again_later_and_given_up_at_last(world: World, office: Office) -> None:
    office.busy.add(SHAH)
    plan(date(2026, 5, 15))
    assert send(office) == SendingRound(sent=2, put_off=1)
    assert send(office) == SendingRound()  # not at once
    now = NOON
    for _ in range(services.TRIES - 1):
        now += timedelta(days=1)
        with time_machine.travel(now, tick=False):
            send(office)
    assert states()["D1001"] == "failed"
    assert office.tries.count(SHAH) == services.TRIES
    office.busy.clear()
    with time_machine.travel(now + timedelta(days=1), tick=False):
        assert send(office) == SendingRound()


def test_a_relay_that_stalls_loses_nothing(world: World, office: Office) -> None:
    office.stall.add(SHAH)
    plan(date(2026, 5, 15))
    assert send(office, seconds=2) == SendingRound(sent=2, put_off=1)
    office.stall.clear()
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert send(office) == SendingRound(sent=1)
    assert len(office.to(SHAH)) == 1


def test_a_relay_that_dies_in_the_middle_gets_the_same_message_again(world: World, office: Office) -> None:
    """It took the text and broke off before it said so: SMTP cannot tell, so the Message-ID stays."""
    office.die.add(SHAH)
    plan(date(2026, 5, 15))
    assert send(office) == SendingRound(sent=2, put_off=1)
    office.die.clear()
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert send(office) == SendingRound(sent=1)
    first, second = office.to(SHAH)
    assert first["Message-ID"] == second["Message-ID"]
    assert len(office.to(CASTELL)) == 1


def test_no_relay_at_all_keeps_everything(world: World) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = Office(port=unused.getsockname()[1])
        plan(date(2026, 5, 15))
        with pytest.raises(RelayError, match="cannot be used"):
            send(nowhere)
    assert sorted(states().values()) == ["waiting"] * 3
    assert set(db.session.scalars(select(Message.tries))) == {0}


def test_a_relay_that_wants_tls_or_a_sign_in_is_never_spoken_to_without(world: World, office: Office) -> None:
    plan(date(2026, 5, 15))
    with pytest.raises(RelayError, match="STARTTLS"):
        send(office, tls="starttls")
    with pytest.raises(RelayError):
        send(office, user="portal", password="x" * 12)
    assert office.taken == []


def test_a_sender_that_died_leaves_its_message_to_the_next(world: World, office: Office) -> None:
    plan(date(2026, 5, 15))
    message = db.session.scalars(select(Message.id).where(Message.person_id == world.people["D1001"])).one()
    with transaction():
        assert services.claim_message(message, at=clock.now(), hours=HOURS)
    assert send(office) == SendingRound(sent=2)  # in another's hands
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
        send(office)
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        send(office)
    assert len(office.to(SHAH)) == 1
    assert states()["D1001"] == "sent"


def test_two_senders_never_have_the_same_message(world: World, office: Office) -> None:
    plan(date(2026, 5, 15))
    message = db.session.scalars(select(Message.id)).first()
    assert message is not None
    with transaction():
        assert services.claim_message(message, at=clock.now(), hours=HOURS)
    with transaction():
        assert not services.claim_message(message, at=clock.now(), hours=HOURS)


def test_the_relays_pace_is_kept(world: World, office: Office) -> None:
    plan(date(2026, 5, 15))
    begun = time.monotonic()
    with time_machine.travel(NOON, tick=True):
        send(office, per_minute=240)
    assert len(office.when) == 3
    assert office.when[-1] - begun > 0.49  # two gaps of a quarter of a second


def test_no_header_can_be_written_by_a_name_or_a_title(world: World, office: Office) -> None:
    with transaction():
        row = db.session.scalars(select(PersonName).where(PersonName.staff_number == "D1001")).one()
        row.surname = "Shah\r\nBcc: everyone@example.org"
        row = db.session.scalars(select(PersonName).where(PersonName.staff_number == "N2")).one()
        row.email = "no address at all"
    plan(date(2026, 5, 15))
    done = send(office)
    assert done.refused >= 1
    assert all(mail["Bcc"] is None for _, mail in office.taken)
    assert states()["N2"] == "refused"


def test_subjects_are_one_line(world: World) -> None:
    reader = queries.list_addressees([world.people["D1001"]], date(2026, 5, 20))[world.people["D1001"]]
    made = Letter(Recipient(reader.full_name, reader.email), "Two\r\nlines", "Text", "<p>Text</p>")
    mail = mail_of(made, sender="a@b.example", reference=uuid4(), host="h.example", at=NOON)
    assert mail["Subject"] == "Two lines"


def test_every_message_agrees_with_the_rule_of_standings(world: World, office: Office) -> None:
    """Whoever is written to is late by the pure function over the facts; whoever is late is written to."""
    plan(date(2026, 5, 15))
    send(office)
    day, known = date(2026, 5, 20), clock.now()
    history = RuleHistory()
    late = set()
    for person, facts in load_facts(sorted(world.people.values()), history).items():
        if world.directive in facts.assignments:
            of_positions = group_facts_by_position(facts, world.directive, history, known).values()
            stood = [compute_status(each, day) for each in of_positions]
            if any(one is not None and one.status in LATE for one in stood):
                late.add(person)
    written = db.session.scalars(select(Message.person_id).where(Message.state == Delivery.SENT))
    assert set(written) == late
    assert late


def test_why_somebody_is_written_to_is_one_of_the_rules(world: World) -> None:
    made = plan(date(2026, 5, 15))
    assert {line.reason for lines in made.letters.values() for line in lines} == {ReminderReason.OVERDUE}


def test_an_address_that_the_relay_takes_in_no_form_holds_up_nobody(
    world: World, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smtplib.SMTP.has_extn", lambda _relay, name: name != "smtputf8")
    with transaction():
        for number in ("D1001", "N2"):
            row = db.session.scalars(select(PersonName).where(PersonName.staff_number == number)).one()
            row.email = f"josé.{number}@westshire.example"
    plan(date(2026, 5, 15))
    assert send(office).refused == 2
    assert states() | {"D1001": "refused", "N2": "refused"} == states()


def test_what_is_done_while_the_relay_rests_is_not_asked_for(
    world: World, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(date(2026, 5, 15))

    def complete(_seconds: float) -> None:
        for activity in world.activities.values():
            for number in ("D1001", "N2", "S1"):
                make_record(world.people[number], activity, date(2026, 5, 20))

    monkeypatch.setattr("portal.domain.reminders.sending.time.sleep", complete)
    done = send(office, per_minute=1)
    assert (done.sent, done.dropped) == (1, 2)


def test_a_message_that_cannot_be_written_keeps_back_no_other(world, office, monkeypatch) -> None:
    plan(date(2026, 5, 15))
    healthy = sending.WRITERS[MessageKind.REMINDER]

    def write_or_fail(row, *others):
        if row.person_id == world.people["N2"]:
            raise KeyError("poison")
        return healthy(row, *others)

    monkeypatch.setitem(sending.WRITERS, MessageKind.REMINDER, write_or_fail)

    outcome = send(office)

    assert (outcome.put_off, outcome.sent) == (1, len(states()) - 1)
    assert states()["N2"] == Delivery.WAITING
    for _ in range(services.TRIES):
        with time_machine.travel(NOON + timedelta(days=1 + _), tick=False):
            send(office)
    assert states()["N2"] == Delivery.FAILED  # and so it is on the desk


def test_a_part_of_the_plan_that_fails_keeps_back_no_other(world, monkeypatch) -> None:
    reminded = list[object]()

    def queue_recall_mails(*_: object, **__: object) -> None:
        raise KeyError("poison")

    monkeypatch.setattr("portal.features.recall.mails.queue_recall_mails", queue_recall_mails)
    monkeypatch.setattr(services, "queue_review_mails", lambda *days, **_: reminded.append(days))

    planned = plan(date(2026, 5, 15))

    assert planned.failures.count == len(reminded) == 1
    assert len(states()) == len(planned.letters) > 0
