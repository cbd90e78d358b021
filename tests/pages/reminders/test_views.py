"""The pages of mail: outbox, dry run, rules and nudge, as a person reads and presses them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.people.models import PersonName
from portal.domain.reminders import queries, services
from portal.domain.reminders.models import Delivery, Message, MessageLine, ReminderRule
from portal.domain.reminders.rules import ReminderReason, ReminderRules, SendWindow
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import World, enter, make_world

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 11, tzinfo=UTC)
DAY = date(2026, 5, 15)


@pytest.fixture
def world(database: None) -> Iterator[World]:
    made = make_world()
    for number, role in (("D4001", "directive-owner"), ("D9001", "administrator")):
        made.person(number, "force", surname=number, role="training")
        make_grant(made.people[number], role)
    with time_machine.travel(NOON, tick=False):
        yield made


@pytest.fixture
def owner(client: PortalClient, world: World) -> PortalClient:
    return enter(client, world, "D4001")


@pytest.fixture
def manager(client: PortalClient, world: World) -> PortalClient:
    return enter(client, world, "D2001")


def plan() -> None:
    with transaction():
        services.plan_day(DAY, at=clock.now(), hours=SendWindow())


def mark(world: World, number: str, state: Delivery, reason: str = "") -> None:
    with transaction():
        one = update(Message).where(Message.person_id == world.people[number])
        db.session.execute(one.values(state=state, reason=reason))


def test_the_outbox_says_what_waits_and_what_was_refused(owner: PortalClient, world: World) -> None:
    page = owner.page("/reminders")
    assert page.h1 == "Reminders"
    assert "Email is not set up, so nothing is sent" in page.text
    assert "No message has been planned yet" in page.text
    plan()
    mark(world, "N2", Delivery.REFUSED, "The relay said 550: No such mailbox")
    page = owner.page("/reminders")
    assert "OIC-2026: overdue" in page.text
    assert "Shah, Priya" in page.text
    refused = owner.page("/reminders?state=refused")
    assert "550: No such mailbox" in refused.text
    assert "Shah, Priya" not in refused.text
    assert "Message queued again." in owner.press(refused, "Try again: Castell, Imogen").text


def test_a_dry_run_says_to_whom_and_why_and_writes_nothing(owner: PortalClient, world: World) -> None:
    page = owner.page("/reminders/preview?day=22+May+2026")
    assert page.h1 == "3 messages would be planned for 22 May 2026"
    assert "d1001@westshire.example" in page.text
    page = owner.page("/reminders/preview?day=21+May+2026")
    assert page.h1 == "1 message would be planned for 21 May 2026"
    assert "OIC-2026 overdue, to the line manager, Priya Shah" in page.text
    assert "Castell, Imogen (N2): overdue, and no line manager is known" in page.text
    assert db.session.scalars(select(Message)).all() == []


@pytest.mark.parametrize("day", ["someday", "2026-05-01", "31 February 2027"])
def test_a_day_that_is_none_or_over_gets_a_sentence(owner: PortalClient, day: str) -> None:
    page = owner.page(f"/reminders/preview?day={day}", 400)
    assert "Enter today’s date or a later one, such as 30 April 2027." in page.text
    assert (page.title[:7], page.h1) == ("Error: ", "Choose another date")
    assert "planned" not in page.text


def test_an_owner_sets_when_a_directive_reminds(owner: PortalClient, world: World) -> None:
    page = owner.page("/reminders/rules/OIC-2026")
    wrong = owner.press(page, "Save", 400, notice="soon", every="1, 2", escalate="-1", ending="9999")
    assert wrong.text.count("from 0 to 730") >= 4
    assert wrong.form_with("Save").fields["notice"] == ["soon"]
    page = owner.page("/reminders/rules/OIC-2026")
    saved = owner.press(page, "Save", notice="14 7", every="3", escalate="0", ending="")
    assert "Rules saved." in saved.text
    assert queries.directive_named("OIC-2026", clock.today()).rules == ReminderRules((14, 7), 3, 0, ())
    page = owner.page("/reminders/rules/OIC-2026")
    assert "Nothing was changed." in owner.press(page, "Save").text
    assert len(db.session.scalars(select(ReminderRule)).all()) == 1
    assert owner.get("/reminders/rules/NONE-1").status_code == 404


def set_state(state: Delivery) -> None:
    """What became of every message."""
    db.session.execute(update(Message).values(state=state))
    db.session.commit()


def test_a_manager_nudges_once_in_seven_days(manager: PortalClient, world: World) -> None:
    page = manager.page("/people/D1001")
    address = page.links["Remind Priya Shah of OIC-2026"]
    sent = manager.press(manager.page(address), "Send the reminder")
    assert "Reminder to Priya Shah queued. Email is not set up, so it will not be sent yet." in sent.text
    page = manager.page(address)
    again = "You can remind them again from 12:00 on 27 May 2026."
    assert again in page.text
    assert "Send the reminder" not in page.text
    assert again in sent.text
    waits = "A reminder of OIC-2026 for Priya Shah waits to be sent."
    assert waits in page.text
    assert waits in sent.text
    set_state(Delivery.SENT)
    told = "Priya Shah was reminded of OIC-2026 on 20 May 2026."
    assert told in manager.page(address).text
    assert told in manager.page("/people/D1001").text
    set_state(Delivery.BOUNCED)
    assert "of 20 May 2026 did not arrive." in manager.page(address).text
    assert not any(link.startswith("Remind Priya") for link in sent.links)
    with time_machine.travel(NOON + timedelta(days=7), tick=False):
        enter(manager, world, "D2001")
        assert manager.page("/people/D1001").links["Remind Priya Shah of OIC-2026"] == address
        assert "Send the reminder" in manager.page(address).text


def test_everyone_listed_is_reminded_after_a_preview(client: PortalClient, world: World) -> None:
    owner = enter(client, world, "D4001")
    owner.press(owner.page("/people/D1001/nudge/OIC-2026"), "Send the reminder")
    db.session.execute(update(PersonName).where(PersonName.staff_number == "N2").values(email=None))
    db.session.commit()

    assert owner.page("/monitoring").links["Remind all 3"] == "/reminders/directives/OIC-2026?status=late"
    report = owner.page("/monitoring/directives/OIC-2026?unit=Westshire+Police/Local+Policing")
    preview = owner.page(report.links["Remind all 3 who have not finished"])
    assert preview.h1 == "Remind 1 person of OIC-2026"
    assert "1 person has a reminder of the last 7 days that is not sent." in preview.text
    assert "1 person has no email address in the roster." in preview.text
    assert preview.form_with("Send the reminders").fields["people"] == ["S1"]
    untick = owner.press(preview, "Send the reminders", 400, people=[])
    assert "Select the people to remind" in untick.text
    sent = owner.press(preview, "Send the reminders")
    assert sent.h1 == "Local Policing: 25% complete, 1 of 4 people"
    assert "1 reminder queued. Email is not set up" in sent.text
    again = owner.page(report.links["Remind all 3 who have not finished"])
    assert again.h1 == "There is nobody to remind of OIC-2026"
    set_state(Delivery.SENT)
    assert "2 people were reminded in the last 7 days." in owner.page(again.path).text
    nudged = select(MessageLine.about_id).where(MessageLine.reason == ReminderReason.NUDGE)
    assert set(db.session.scalars(nudged)) == {world.people["D1001"], world.people["S1"]}


def test_nobody_is_reminded_whom_one_may_not_remind(manager: PortalClient, world: World) -> None:
    assert manager.get("/reminders/directives/OIC-2026?unit=Elsewhere").status_code == 400
    preview = manager.page("/reminders/directives/OIC-2026")
    assert preview.form_with("Send the reminders").fields["people"] == ["D1001"]
    forged = manager.press(preview, "Send the reminders", people=["D1001", "S1"])
    assert "1 reminder queued." in forged.text


def test_nudging_twice_at_once_counts_once(manager: PortalClient, world: World) -> None:
    form = manager.page("/people/D1001/nudge/OIC-2026")
    manager.press(form, "Send the reminder")
    refused = manager.press(form, "Send the reminder", 409)
    assert "less than 7 days ago" in refused.text


def test_nobody_is_nudged_about_what_is_done(manager: PortalClient, world: World) -> None:
    page = manager.page("/people/N1/nudge/OIC-2026")
    assert "Siobhan Brennan has nothing left to complete for OIC-2026." in page.text
    assert "Remind Siobhan Brennan of OIC-2026" not in manager.page("/people/N1").links


def test_without_an_address_nobody_can_be_nudged(manager: PortalClient, world: World) -> None:
    with transaction():
        one = update(PersonName).where(PersonName.person_id == world.people["D1001"])
        db.session.execute(one.values(email=None))
    assert "No email address is known for Priya Shah" in manager.page("/people/D1001/nudge/OIC-2026").text


@pytest.mark.parametrize("number", ["C1", "ZZ"])
def test_a_manager_cannot_nudge_whom_they_do_not_see(manager: PortalClient, number: str) -> None:
    assert manager.get(f"/people/{number}/nudge/OIC-2026").status_code == 404


def test_nobody_nudges_themselves(manager: PortalClient) -> None:
    page = manager.page("/people/D2001/nudge/OIC-2026")
    assert "You cannot remind yourself." in page.text
    assert "Send the reminder" not in page.text


def test_who_has_not_finished_either_is_told_so(client: PortalClient, world: World) -> None:
    make_grant(world.people["N2"], "manager", world.units["north"])
    preview = enter(client, world, "N2").page("/reminders/directives/OIC-2026")
    assert preview.form_with("Send the reminders").fields["people"] == ["D1001"]
    assert "You have not finished either. You cannot remind yourself." in preview.text


def test_a_long_outbox_asks_as_many_statements_as_a_short_one(owner: PortalClient, world: World) -> None:
    plan()
    with statements() as few:
        owner.page("/reminders")
    for number in range(22):
        world.person(f"X{number:02}", "north", surname=f"Name {number}")
    with transaction():
        services.plan_day(DAY + timedelta(days=7), at=clock.now(), hours=SendWindow())
    with statements() as many:
        page = owner.page("/reminders")
    assert len(page.all("tr")) > 20
    assert len(many) == len(few)
