"""Promise 6, held against a plain reading of it: any grants, any post history, any viewer."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.db import OPEN_END, db, stamp, transaction
from portal.people.models import Person, PersonName, Post, RoleGrant, Unit, UnitState
from portal.people.queries import COMMAND_LINE, may_see, sight, viewer_of, visible_people
from portal.permissions import Role

TODAY = date(2026, 6, 1)
UNITS, PEOPLE = 5, 4
numbers = count(1)
SEES = {"manager", "directive-owner", "auditor", "administrator"}

days = st.sampled_from([TODAY + timedelta(n) for n in (-400, -30, -2, -1, 0, 1, 2, 30)]) | st.just(OPEN_END)
spans = st.tuples(days, days).map(sorted)
roles = st.sampled_from(["manager"] * 6 + [str(role) for role in Role])
units = st.integers(0, UNITS - 1)
people = st.integers(0, PEOPLE - 1)


@dataclass(frozen=True)
class World:
    parents: list  # of unit n: None or a lower number
    moved: tuple | None  # (unit, parent) from today on
    posts: list  # (person, unit, manager, span, state)
    grants: list  # (person, role, unit, span, revoked)


@st.composite
def worlds(draw):
    parents = [None] + [draw(st.integers(0, n - 1)) for n in range(1, UNITS)]
    moved = None
    if draw(st.booleans()):
        unit = draw(st.integers(1, UNITS - 1))
        moved = (unit, draw(st.integers(0, unit - 1)))
    state = st.sampled_from(["live", "live", "live", "void", "replaced"])
    posts = draw(st.lists(st.tuples(people, units, people | st.none(), spans, state), min_size=2, max_size=8))
    always = st.just((date(2020, 1, 1), OPEN_END))
    grant = st.tuples(people, roles, units | units | st.none(), always | always | spans, st.integers(0, 4))
    grants = [(*rest, n == 0) for *rest, n in draw(st.lists(grant, min_size=1, max_size=4))]
    return World(parents, moved, posts, grants)


def build(world):
    with transaction():
        at = stamp()
        unit_rows = [Unit(recorded_at=at) for _ in range(UNITS)]
        person_rows = [Person(recorded_at=at) for _ in range(PEOPLE)]
        db.session.add_all([*unit_rows, *person_rows])
        db.session.flush()
        unit_ids, person_ids = [u.id for u in unit_rows], [p.id for p in person_rows]
        for n, parent in enumerate(world.parents):
            write_unit(at, n, parent, world.moved, unit_ids)
        for person_id in person_ids:
            db.session.add(
                PersonName(
                    person_id=person_id,
                    staff_number=f"H{next(numbers)}",
                    surname="Shah",
                    forenames="Priya",
                    email=None,
                )
            )
        for post in world.posts:
            write_post(at, post, unit_ids, person_ids)
        for person, role, unit, (start, end), revoked in world.grants:
            db.session.add(
                RoleGrant(
                    person_id=person_ids[person],
                    role=role,
                    unit_id=None if unit is None else unit_ids[unit],
                    valid_from=start,
                    valid_to=end,
                    given_at=at,
                    ended_at=at if revoked else None,
                )
            )
    return unit_ids, person_ids


def write_unit(at, n, parent, moved, unit_ids):
    def add(parent, start, end):
        parent_id = None if parent is None else unit_ids[parent]
        db.session.add(
            UnitState(
                recorded_at=at,
                unit_id=unit_ids[n],
                name=f"U{n}",
                parent_id=parent_id,
                valid_from=start,
                valid_to=end,
            )
        )

    if moved and moved[0] == n:
        add(parent, date(2020, 1, 1), TODAY - timedelta(1))
        add(moved[1], TODAY, OPEN_END)
    else:
        add(parent, date(2020, 1, 1), OPEN_END)


def write_post(at, post, unit_ids, person_ids):
    person, unit, manager, (start, end), state = post
    values = {
        "recorded_at": at,
        "person_id": person_ids[person],
        "post_key": "",
        "rank_or_grade": "Constable",
        "designated_role": "response",
        "unit_id": unit_ids[unit],
        "line_manager_id": None if manager is None else person_ids[manager],
        "valid_from": start,
        "valid_to": end,
    }
    row = Post(**values, void=state == "void")
    db.session.add(row)
    if state == "replaced":  # by a void row: it never was
        db.session.flush()
        db.session.add(Post(**values, void=True, replaces_id=row.id))


def chain(world, unit):
    """The unit and all above it today."""
    while unit is not None:
        yield unit
        unit = world.moved[1] if world.moved and world.moved[0] == unit else world.parents[unit]


def sees(world, viewer, person):
    """The rule as product.md words it."""
    if viewer == person:
        return True
    live = [
        (role, unit)
        for who, role, unit, (start, end), revoked in world.grants
        if who == viewer and role in SEES and start <= TODAY <= end and not revoked
    ]
    if any(role != "manager" and unit is None for role, unit in live):
        return True
    held = [post for post in world.posts if post[0] == person and post[4] == "live"]
    deciding = [post for post in held if post[3][0] <= TODAY <= post[3][1]]
    if not deciding:
        past = [post for post in held if post[3][1] < TODAY]
        last = max((post[3][1] for post in past), default=None)
        deciding = [post for post in past if post[3][1] == last]
    granted = {unit for _, unit in live if unit is not None}
    in_units = any(granted & set(chain(world, post[1])) for post in deciding)
    reports = any(unit is None for _, unit in live) and any(post[2] == viewer for post in deciding)
    return in_units or reports


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
def test_who_is_seen_follows_the_rule_for_any_history(database, world):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        unit_ids, person_ids = build(world)
        for v in range(PEOPLE):
            viewer = viewer_of(person_ids[v])
            expected = {person_ids[p] for p in range(PEOPLE) if sees(world, v, p)}
            found = set(db.session.scalars(visible_people(viewer))) & set(person_ids)
            assert found == expected
            assert {p for p in person_ids if may_see(viewer, p)} == expected
            assert_sight_agrees(world, v, sight(viewer), unit_ids, person_ids)


def assert_sight_agrees(world, viewer, found, unit_ids, person_ids):
    live = [
        (role, unit)
        for who, role, unit, (start, end), revoked in world.grants
        if who == viewer and role in SEES and start <= TODAY <= end and not revoked
    ]
    granted = {unit for _, unit in live if unit is not None}
    assert found.everyone == any(role != "manager" and unit is None for role, unit in live)
    assert found.unit_ids == {unit_ids[n] for n in range(UNITS) if granted & set(chain(world, n))}
    expected = person_ids[viewer] if ("manager", None) in live else None
    assert found.direct_reports_of == expected


def test_the_command_line_sees_everyone(database):
    build(World([None] * UNITS, None, [], []))

    assert sight(COMMAND_LINE).everyone
    assert len(list(db.session.scalars(visible_people(COMMAND_LINE)))) == db.session.scalar(
        select(func.count()).select_from(Person)
    )


LONG_AGO, THEN = (date(2020, 1, 1), TODAY - timedelta(30)), (date(2021, 1, 1), TODAY - timedelta(2))
NOW, ALWAYS = (TODAY, OPEN_END), (date(2020, 1, 1), OPEN_END)
FLAT = [None] + [0] * (UNITS - 1)


@pytest.mark.parametrize(
    ("posts", "moved", "seen"),
    [
        ([(1, 2, None, NOW, "live")], None, True),
        ([(1, 3, None, NOW, "live")], None, False),
        ([(1, 2, None, NOW, "void")], None, False),
        ([(1, 2, None, NOW, "replaced")], None, False),
        ([(1, 2, None, THEN, "live")], None, True),  # it ended last
        ([(1, 2, None, LONG_AGO, "live"), (1, 3, None, THEN, "live")], None, False),
        ([(1, 2, None, THEN, "live"), (1, 3, None, NOW, "live")], None, False),  # it is over, another is not
        ([(1, 2, None, NOW, "live"), (1, 3, None, NOW, "live")], None, True),  # either of two will do
        ([(1, 2, None, THEN, "live"), (1, 3, None, NOW, "void")], None, True),
        ([(1, 4, None, NOW, "live")], (4, 2), True),  # the unit moved under the granted one today
        ([(1, 2, None, (TODAY + timedelta(1), OPEN_END), "live")], None, False),  # not yet
    ],
)
def test_a_manager_of_a_unit_sees_whom_todays_posts_put_there(database, posts, moved, seen):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        world = World(FLAT, moved, posts, [(0, "manager", 2, ALWAYS, False)])
        _, person_ids = build(world)

        assert may_see(viewer_of(person_ids[0]), person_ids[1]) is seen
        assert sees(world, 0, 1) is seen


def test_a_unit_moved_away_today_is_seen_no_longer(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        parents = [None, 0, 0, 0, 2]
        world = World(parents, (4, 3), [(1, 4, None, NOW, "live")], [(0, "manager", 2, ALWAYS, False)])
        _, person_ids = build(world)

        assert not may_see(viewer_of(person_ids[0]), person_ids[1])
