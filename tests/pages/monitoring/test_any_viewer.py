"""Visibility: for any viewer and any history of posts, every page and file shows the same people."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.accounts import services
from portal.domain.accounts.services import SignInOrigin
from portal.domain.directives.models import Directive
from portal.domain.people.models import PersonName
from portal.domain.people.queries import viewer_of
from portal.domain.records.services import new_reference
from portal.platform import clock
from portal.platform.db import OPEN_END, db, stamp, touch, transaction
from portal.platform.permissions import Permission
from tests.domain.people.worlds import PEOPLE, SEES, TODAY, World, build, chain, sees, worlds
from tests.domain.status.facts import add, make_activity, make_module_version, make_record, make_version
from tests.examples import few_or_many
from tests.page_reading import PortalClient
from tests.pages.monitoring.reading import parsed, sheet

numbers = count(1)
days = st.sampled_from([TODAY, TODAY, TODAY - timedelta(2), TODAY - timedelta(30)])
ALWAYS = (date(2020, 1, 1), OPEN_END)
MOVED_OUT = World(  # of the unit that the viewer has a grant on
    parents=[None, 0, 1, 0, 3],
    moved=(4, 0),
    posts=[(0, 1, None, ALWAYS, "live"), (1, 4, None, ALWAYS, "live")],
    grants=[(0, "manager", 3, ALWAYS, False)],
)
MOVED_UNDER_ANOTHER_GRANT = World(
    parents=[None, 0, 0, 0, 0],
    moved=(2, 1),
    posts=[(0, 1, None, ALWAYS, "live"), (1, 2, None, ALWAYS, "live")],
    grants=[(0, "manager", 1, ALWAYS, False), (0, "manager", 2, ALWAYS, False)],
)

LED_FROM_ELSEWHERE = World(  # by somebody whom the viewer does not see
    parents=[None, 0, 0, 0, 0],
    moved=None,
    posts=[(0, 1, None, ALWAYS, "live"), (1, 1, 2, ALWAYS, "live"), (2, 2, 0, ALWAYS, "live")],
    grants=[(0, "manager", 1, ALWAYS, False)],
)


def post_of_row(world: World, person: int, day: date) -> tuple[int, int | None] | None:
    """Unit and line manager of the post that makes the person's row as at a day."""
    held = [
        (start, -key, unit, manager)
        for key, (who, unit, manager, (start, end), state) in enumerate(world.posts)
        if who == person and state == "live" and start <= day <= end
    ]
    return max(held)[2:] if held else None  # the latest begun; of these the lowest key


def row_is_seen(world: World, viewer: int, person: int, day: date) -> bool:
    """Whether the viewer sees the person's row as at a day, as product.md words it."""
    post = post_of_row(world, person, day)
    if post is None:
        return False
    unit, manager = post
    live = [
        (role, on)
        for who, role, on, (start, end), revoked in world.grants
        if who == viewer and role in SEES and start <= TODAY <= end and not revoked
    ]
    whole = any(role != "manager" and on is None for role, on in live)
    within = bool({on for _, on in live} & set(chain(world, unit, day)))
    return whole or within or (("manager", None) in live and manager == viewer)


def ask_rank() -> tuple[str, int]:
    """A directive that asks one module of a rank named as itself; its reference and the module."""
    reference, activity = f"ANY-{next(numbers)}", make_activity()
    make_module_version(activity)
    audience = {"audience": [{"rank_or_grade": [reference]}], "except": []}
    directive = add(Directive(reference=reference))
    make_version(directive, {1: activity}, effective_on=date(2020, 1, 1), audience=audience)
    return reference, activity


def enter(client: PortalClient, person: int) -> None:
    """Sign the person in without the cost of a password."""
    with transaction():
        token, _ = services.open_session(person, SignInOrigin("192.0.2.1", "Test"), clock.now())
    client.set_cookie("portal", token)


def numbers_in(rows: list[dict[str, str]], staff: list[str]) -> set[str]:
    return {row["staff_number"] for row in rows} & set(staff)


@pytest.mark.slow
@settings(
    max_examples=few_or_many(4, 15),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(world=MOVED_OUT, day=TODAY - timedelta(30))
@example(world=MOVED_UNDER_ANOTHER_GRANT, day=TODAY - timedelta(30))
@example(world=LED_FROM_ELSEWHERE, day=TODAY)
@given(world=worlds(), day=days)
def test_whoever_looks_meets_the_same_people_on_pages_and_in_files(
    app: Flask, database: None, world: World, day: date
) -> None:
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        reference, activity = ask_rank()
        _, ids = build(world, reference)
        with transaction():
            stamp()
            touch(people=ids)
        held = {person: new_reference() for person in ids}
        for person in ids:
            make_record(person, activity, TODAY - timedelta(1), reference=held[person])
        names = dict(db.session.execute(select(PersonName.person_id, PersonName.staff_number)).all())
        staff = [names[person] for person in ids]
        for looking in range(PEOPLE):
            viewer = viewer_of(ids[looking])
            if viewer is None or not viewer.has_post:
                continue  # nobody without a post signs in
            client = PortalClient(app)
            enter(client, ids[looking])
            may = Permission.COMPLETION_VIEW in viewer.permissions
            rows = {staff[p] for p in range(PEOPLE) if row_is_seen(world, looking, p, day)}
            opened = {staff[p] for p in range(PEOPLE) if sees(world, looking, p)}
            posts = ((staff[p], post_of_row(world, p, day)) for p in range(PEOPLE))
            named = {number: staff[post[1]] for number, post in posts if post and post[1] is not None}
            managers = {number: manager if manager in opened else "" for number, manager in named.items()}
            assert_report(client, reference, day, managers, staff, rows if may else None)
            assert_people(client, staff, opened if may else None)
            for person in ids:
                found = client.get(f"/records/{held[person]}").status_code == 200
                assert found is (names[person] in opened)


def assert_report(
    client: PortalClient,
    reference: str,
    day: date,
    managers: dict[str, str],
    staff: list[str],
    rows: set[str] | None,
) -> None:
    at = f"/monitoring/directives/{reference}"
    asked = f"?as_at={day.isoformat()}"
    if rows is None:
        for path in (at, f"{at}/completions.csv", f"{at}/completions.xlsx"):
            assert client.get(path + asked).status_code == 403
        return
    page = client.page(at + asked)
    shown = {text for text in re.findall(r"H\d+", page.text) if text in staff}
    assert shown == rows
    text = client.get(f"{at}/completions.csv{asked}").get_data(as_text=True)
    assert numbers_in(parsed(text), staff) == rows
    for row in [*parsed(text), *parsed(client.get(f"{at}/people.csv{asked}").get_data(as_text=True))]:
        if row["staff_number"] in staff:
            assert row["line_manager_staff_number"] == managers.get(row["staff_number"], "")
    assert numbers_in(sheet(client.get(f"{at}/completions.xlsx{asked}")), staff) == rows


def assert_people(client: PortalClient, staff: list[str], opened: set[str] | None) -> None:
    for number in staff:
        status = client.get(f"/people/{number}").status_code
        assert status == (403 if opened is None else 200 if number in opened else 404)
        if opened is not None:
            found = client.page(f"/people?q={number}")
            assert (f"/people/{number}" in found.links.values()) is (number in opened)
