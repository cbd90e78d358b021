"""A line manager who could not open what a mail links to does not get it; the administrator is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from sqlalchemy import delete, select

from portal.domain.accounts import grants
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import viewer_of, visibility_of
from portal.domain.people.sight import find_report_readers
from portal.domain.people.visibility import is_valid_on
from portal.domain.reminders import services
from portal.domain.reminders.message_texts import ReminderPlan, plan_reminders
from portal.domain.reminders.models import Message, MessageLine
from portal.domain.reminders.rules import SendWindow
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.imports.rosters import run
from tests.domain.people.worlds import TODAY, build, worlds
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import World, enter, make_world

NOON = datetime(2026, 5, 21, 11, tzinfo=UTC)  # the day on which D1001, managed by D2001, is escalated


@pytest.fixture
def world(database: None) -> Iterator[World]:
    """D2001 manages D1001 and N1 by the roster alone; D4001 and D9001 look after mail."""
    made = make_world()
    for number, role in (("D4001", "directive-owner"), ("D9001", "administrator")):
        made.person(number, "force", surname=number, role="training")
        make_grant(made.people[number], role)
    with transaction():
        db.session.execute(delete(RoleGrant).where(RoleGrant.person_id == made.people["D2001"]))
    with time_machine.travel(NOON, tick=False):
        yield made


def plan(*, line_managers: bool = False) -> ReminderPlan:
    now = clock.now()
    with transaction():
        return services.plan_day(
            clock.london_day(now), at=now, hours=SendWindow(), line_managers=line_managers
        )


def escalations() -> list[int]:
    rows = select(Message.person_id).join(MessageLine).where(MessageLine.reason == "escalation")
    return list(db.session.scalars(rows))


@pytest.mark.parametrize("role", [None, "author", "manager elsewhere"])
def test_no_mail_goes_to_a_line_manager_who_could_not_open_it(world: World, role: str | None) -> None:
    manager = world.people["D2001"]
    if role:
        make_grant(manager, role.split()[0], world.units["crime"] if " " in role else None)

    made = plan()

    assert manager not in made.letters
    assert made.untold == {manager: [world.people["D1001"]]}
    assert escalations() == []


@pytest.mark.parametrize("role", ["manager", "auditor", "manager there", "setting"])
def test_the_mail_goes_to_one_who_could(world: World, role: str) -> None:
    manager = world.people["D2001"]
    if role != "setting":
        make_grant(manager, role.split()[0], world.units["local"] if " " in role else None)

    made = plan(line_managers=role == "setting")

    assert made.untold == {}
    assert escalations() == [manager]


def test_the_page_of_reminders_says_who_was_not_told_and_what_to_do(
    app: Flask, client: PortalClient, world: World
) -> None:
    plan()
    page = enter(client, world, "D9001").page("/reminders")
    said = "1 line manager was not told about people who are overdue, because they cannot open the report"
    assert said in page.text
    assert "Okafor, Daniel (D2001): 1 person, last on" in page.text
    assert "switch on LINE_MANAGER_SIGHT" in page.text
    assert client.page(page.links["Grants"]).status == 200
    assert said in enter(another(app), world, "D4001").page("/reminders").text

    with transaction():
        grants.grant_role(world.people["D2001"], Role.MANAGER, unit_id=None, by=None, at=clock.now())
    assert said not in client.page("/reminders").text


def test_the_setting_ends_what_the_page_says(
    app: Flask, client: PortalClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan()
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], line_manager_sight="on"))

    assert "not told" not in enter(client, world, "D9001").page("/reminders").text


def test_who_is_told_later_is_listed_no_more(world: World) -> None:
    plan()
    with time_machine.travel(NOON + timedelta(days=7), tick=False):
        assert plan(line_managers=True).untold == {}
    assert db.session.scalars(select(services.UntoldManager)).all() == []


def test_previews_say_so_too(app: Flask, client: PortalClient, world: World) -> None:
    page = enter(client, world, "D9001").page("/reminders/preview?day=21+May+2026")
    assert "Okafor, Daniel (D2001): cannot open the report of those who are overdue" in page.text
    assert "to the line manager" not in page.text
    dry = run(app, "reminders", "plan", "--dry-run", "--day", "2026-05-21")
    assert "D2001 Daniel Okafor: not told, because they cannot see Priya Shah" in dry.output
    assert "Line managers who cannot open the report, and are not told: 1" in dry.output


@pytest.mark.slow
def test_more_line_managers_ask_no_more(client: PortalClient, world: World) -> None:
    owner = enter(client, world, "D9001")
    plan()
    with statements() as few:
        owner.page("/reminders")
    for n in range(22):
        boss = world.person(f"B{n}", "north", surname=f"Boss {n}", role="supervision")
        world.person(f"R{n}", "north", f"B{n}", surname=f"Report {n}")
        assert boss
    with time_machine.travel(NOON + timedelta(days=7), tick=False):
        with statements() as planning:
            assert len(plan_reminders(date(2026, 5, 28)).untold) == 23
        plan()
        enter(owner, world, "D9001")
        with statements() as many:
            page = owner.page("/reminders")
    assert "23 line managers were not told" in page.text
    assert len(many) == len(few)
    assert len(planning) < 12


@pytest.mark.slow
@settings(
    max_examples=few_or_many(8, 25),
    suppress_health_check=IN_ONE_TRANSACTION,
)
@given(worlds())
def test_readers_are_those_whom_the_rule_of_sight_shows_the_row(database: None, world: object) -> None:
    """Any grants, any posts: asked of many at once, the answer is that of each one's own report."""
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        _, ids = build(world)
        of_today = (
            is_known_fact(Post),
            is_valid_on(Post, TODAY),
            Post.person_id.is_distinct_from(Post.line_manager_id),
        )
        rows = db.session.scalars(select(Post).where(Post.person_id.in_(ids), *of_today)).all()
        for by_roster in (False, True):
            readers = find_report_readers(ids, TODAY, line_managers=by_roster)
            for viewer_id in ids:
                viewer = viewer_of(viewer_id, line_managers=by_roster)
                assert viewer is not None
                seen = visibility_of(viewer)
                for post in rows:
                    reports = post.line_manager_id == viewer_id == seen.direct_reports_of
                    expected = seen.everyone or post.unit_id in seen.unit_ids or reports
                    found = readers.may_read(viewer_id, post.unit_id, post.line_manager_id)
                    assert found == expected
