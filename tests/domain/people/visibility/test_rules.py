"""Promise 6, held against a plain reading of it: any grants, any post history, any viewer."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from sqlalchemy import func, select

from portal.domain.people.models import Person
from portal.domain.people.queries import COMMAND_LINE, may_see, viewer_of, visibility_of, visible_people
from portal.platform.db import OPEN_END, db
from tests.domain.people.worlds import PEOPLE, SEES, TODAY, UNITS, World, build, chain, sees, worlds
from tests.examples import few_or_many


@pytest.mark.slow
@settings(max_examples=few_or_many(6, 25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
def test_who_is_seen_follows_the_rule_for_any_history(database, world):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        unit_ids, person_ids = build(world)
        for v in range(PEOPLE):
            viewer = viewer_of(person_ids[v])
            expected = {person_ids[p] for p in range(PEOPLE) if sees(world, v, p)}
            visible = set(db.session.scalars(visible_people(viewer))) & set(person_ids)
            assert visible == expected
            assert {p for p in person_ids if may_see(viewer, p)} == expected
            assert_sight_agrees(world, v, visibility_of(viewer), unit_ids, person_ids)


def assert_sight_agrees(world, viewer, visible, unit_ids, person_ids):
    live = [
        (role, unit)
        for who, role, unit, (start, end), revoked in world.grants
        if who == viewer and role in SEES and start <= TODAY <= end and not revoked
    ]
    granted = {unit for _, unit in live if unit is not None}
    assert visible.everyone == any(role != "manager" and unit is None for role, unit in live)
    assert visible.unit_ids == {unit_ids[n] for n in range(UNITS) if granted & set(chain(world, n))}
    expected = person_ids[viewer] if ("manager", None) in live else None
    assert visible.direct_reports_of == expected


def test_the_command_line_sees_everyone(database):
    build(World([None] * UNITS, None, [], []))

    assert visibility_of(COMMAND_LINE).everyone
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
