"""LINE_MANAGER_SIGHT: who sees direct reports because today's roster names them, and nothing more."""

import csv
import io
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from config import Config, ConfigError
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.queries import may_see, viewer_of, visible_people
from portal.platform.db import db, stamp, touch, transaction
from tests.domain.people.worlds import PEOPLE, TODAY, build, sees, worlds
from tests.examples import few_or_many
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.grants.granting import LIST, PROPOSED, make_team, signed_in_administrator, table_rows
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import World, enter, make_world

NOW = datetime(2026, 5, 20, 11, tzinfo=UTC)
FILES = "/monitoring/directives/OIC-2026/completions"


@pytest.fixture
def on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], line_manager_sight="on"))


@pytest.fixture
def world(database: None) -> Iterator[World]:
    """D2001, line manager of D1001 and N1, without any grant."""
    made = make_world()
    with transaction():
        for grant in db.session.scalars(select(RoleGrant).where(RoleGrant.person_id == made.people["D2001"])):
            db.session.delete(grant)
    with time_machine.travel(NOW, tick=False):
        yield made


@pytest.mark.slow
def test_a_line_manager_sees_direct_reports_and_nobody_else(
    client: PortalClient, world: World, on: None
) -> None:
    manager = enter(client, world, "D2001")

    assert manager.get("/").location == "/monitoring"
    page = manager.page("/monitoring")
    assert "Monitoring" in page.links
    assert "Shah" in page.text
    assert "Remind Priya Shah of OIC-2026" in manager.page("/people/D1001").links
    for path in ("/people/D1001/nudge/OIC-2026", "/people/D1001/ask/exemption", "/people/D1001/attempts"):
        manager.page(path)
    for number in ("N2", "S1", "C1", "D2002"):
        assert manager.get(f"/people/{number}").status_code == 404
    answer = manager.get(f"{FILES}.csv")
    found = csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
    assert {row["staff_number"] for row in found} == {"D1001", "N1"}
    assert manager.get("/people/D1001/account").status_code == 403
    assert "You see your direct reports" in manager.page("/account").text


def test_without_the_setting_they_see_nobody(client: PortalClient, world: World) -> None:
    manager = enter(client, world, "D2001")

    assert manager.get("/").location == "/learning"
    assert "Monitoring" not in manager.page("/account").links
    for path in ("/monitoring", "/people/D1001", f"{FILES}.csv", "/people/D1001/nudge/OIC-2026"):
        assert manager.get(path).status_code == 403


@pytest.mark.slow
def test_a_session_sees_a_change_of_the_roster_at_once(client: PortalClient, world: World, on: None) -> None:
    manager = enter(client, world, "D2001")
    manager.page("/people/D1001")
    replace_post(world, "D1001", line_manager_id=world.people["D2002"])
    assert manager.get("/people/D1001").status_code == 404
    manager.page("/people/N1")
    replace_post(world, "N1", valid_to=date(2026, 5, 19))

    assert manager.get("/people/N1").status_code == 403  # nobody names them any more
    assert manager.get("/monitoring").status_code == 403
    replace_post(world, "N2", line_manager_id=world.people["D2001"])
    manager.page("/people/N2")
    manager.page("/people/N1")  # whose last post named them
    replace_post(world, "D2001", valid_to=date(2026, 5, 19))  # who leaves signs in no more
    assert manager.get("/people/N2").status_code == 302 or manager.get("/people/N2").status_code == 303


def replace_post(world: World, number: str, **changes: object) -> None:
    person = world.people[number]
    with transaction():
        at = stamp()
        newest = select(Post).where(Post.person_id == person).order_by(Post.id.desc()).limit(1)
        post = db.session.scalars(newest).one()
        kept = ("post_key", "rank_or_grade", "designated_role", "unit_id", "line_manager_id", "valid_from")
        values = {name: getattr(post, name) for name in (*kept, "valid_to")} | changes
        db.session.add(Post(recorded_at=at, replaces_id=post.id, person_id=person, **values))
        touch(people=[person])


def test_nobody_manages_themself(client: PortalClient, world: World, on: None) -> None:
    replace_post(world, "N2", line_manager_id=world.people["N2"])

    assert enter(client, world, "N2").get("/monitoring").status_code == 403


def test_a_file_that_a_line_manager_asked_for_is_made_while_they_manage(world: World, on: None) -> None:
    one = viewer_of(world.people["D2001"], line_managers=True)
    assert one is not None
    assert one.line_manager
    assert one.roles == frozenset()
    replace_post(world, "D1001", line_manager_id=None)
    replace_post(world, "N1", line_manager_id=None)
    after = viewer_of(world.people["D2001"], line_managers=True)
    assert after is not None
    assert not after.line_manager


@pytest.mark.slow
@settings(
    max_examples=few_or_many(6, 25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(worlds())
def test_who_is_seen_follows_the_rule_for_any_history(database: None, world: object) -> None:
    """Promise 6 with LINE_MANAGER_SIGHT: as without, and the reports of whom a post of today names."""
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        _, ids = build(world)
        for v in range(PEOPLE):
            viewer = viewer_of(ids[v], line_managers=True)
            assert viewer is not None
            expected = {ids[p] for p in range(PEOPLE) if sees(world, v, p) or reports_to(world, v, p)}
            assert set(db.session.scalars(visible_people(viewer))) & set(ids) == expected
            assert {p for p in ids if may_see(viewer, p)} == expected


def reports_to(world: object, viewer: int, person: int) -> bool:
    held = [post for post in world.posts if post[4] == "live"]  # type: ignore[attr-defined]
    named = [post for post in held if post[2] == viewer and post[0] != viewer]
    if not any(start <= TODAY <= end for *_, (start, end), _ in named):
        return False
    mine = [post for post in held if post[0] == person]
    deciding = [post for post in mine if post[3][0] <= TODAY <= post[3][1]]
    if not deciding:
        past = [post for post in mine if post[3][1] < TODAY]
        last = max((post[3][1] for post in past), default=None)
        deciding = [post for post in past if post[3][1] == last]
    return any(post[2] == viewer for post in deciding)


def test_knowing_a_line_manager_costs_a_page_no_statement(
    app: Flask, client: PortalClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = enter(client, world, "D1001")
    counts = []
    for setting in ("off", "on"):
        monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], line_manager_sight=setting))
        learner.page("/learning")
        with statements() as run:
            learner.page("/learning")
        counts.append(len(run))

    assert counts[0] == counts[1]


@pytest.mark.slow
def test_grants_say_how_many_see_by_line_management_and_list_them(
    client: PortalClient, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    admin = signed_in_administrator(client)
    force = make_unit("Westshire")
    one, boss = make_team("Team 1", "M1", 2, force)
    make_team("Team 2", "M2", 1, force)
    make_person(one, surname="Gone", until=date.today() - timedelta(1), manager=make_person(one))
    make_grant(boss, "auditor")
    off = admin.page(LIST)
    assert "Line managers need a grant to see their people, because LINE_MANAGER_SIGHT is off." in off.text
    assert "No grant matches" in admin.page(f"{LIST}?state=roster").text
    assert admin.page(PROPOSED).h1 == "2 line managers without a grant"

    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], line_manager_sight="on"))
    page = admin.page(LIST)
    assert "2 line managers see direct reports without a grant" in page.text
    listed = admin.page(page.links["2 line managers"])
    assert [row[:3] for row in table_rows(listed)] == [
        ["Boss M1, PriyaM1", "Manager", "Direct reports"],
        ["Boss M2, PriyaM2", "Manager", "Direct reports"],
    ]
    assert table_rows(listed)[0][5].startswith("The roster")
    narrow = {row[0] for row in table_rows(admin.page(f"{LIST}?state=roster&unit=Team+2"))}
    assert narrow == {"Boss M2, PriyaM2"}
    assert table_rows(admin.page(f"{LIST}?state=roster&role=auditor")) == []
    assert admin.page(PROPOSED).h1 == "Every line manager sees direct reports"
    assert "This person can see their direct reports without a role" in admin.page("/people/M2/account").text
    with statements() as few:
        admin.page(f"{LIST}?state=roster")
    for number in range(20):
        make_team(f"Unit {number}", f"X{number}", 1, force)
    with statements() as many:
        assert len(table_rows(admin.page(f"{LIST}?state=roster"))) == 22
    assert len(few) == len(many)


@pytest.mark.parametrize(
    ("mode", "written", "sees"),
    [("demo", "", True), ("demo", "off", False), ("production", "", False), ("production", "on", True)],
)
def test_the_setting_is_off_but_in_the_demo(tmp_path, mode: str, written: str, sees: bool) -> None:
    config = Config(
        mode=mode,
        public_url="https://learning.example.police.uk",
        secret_key=secrets.token_hex(32),
        instance=tmp_path,
        line_manager_sight=written,
    )
    assert config.line_managers_see is sees


def test_another_word_stops_the_start_with_a_sentence(tmp_path) -> None:
    with pytest.raises(ConfigError, match="LINE_MANAGER_SIGHT is 'on' or 'off'"):
        Config(mode="demo", instance=tmp_path, line_manager_sight="perhaps")
