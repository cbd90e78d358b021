"""Assignments by plain examples: days, joining, overlapping posts, pairing, moved units."""

from datetime import date

import pytest
from sqlalchemy import select

from portal.domain.directives.models import Assignment
from portal.domain.people.models import Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.platform.db import db, stamp, touch, transaction
from tests.domain.status.facts import make_activity, make_directive, make_version
from tests.factories.people import make_person, make_unit

RESPONSE = {"audience": [{"designated_role": ["response"]}], "except": []}


@pytest.fixture
def unit(database):
    return make_unit("Force")


def directive(**rules):
    made = make_directive()
    make_version(made, {1: make_activity()}, audience=RESPONSE, due_days_after_joining=60, **rules)
    return made


def add_post(person, unit, since, until, role="response", key=""):
    with transaction():
        post = Post(
            recorded_at=stamp(),
            person_id=person,
            post_key=key,
            rank_or_grade="Constable",
            designated_role=role,
            unit_id=unit,
            valid_from=since,
            valid_to=until,
        )
        db.session.add(post)
        touch(people=[person])


def assignments(person):
    query = select(Assignment).where(Assignment.person_id == person, is_known_fact(Assignment))
    found = db.session.scalars(query.order_by(Assignment.from_on))
    return [(a.from_on, a.to_on, a.joined_on, a.due_on) for a in found]


@pytest.mark.parametrize(
    ("back", "joined"), [(date(2026, 6, 21), date(2026, 1, 1)), (date(2026, 6, 22), date(2026, 6, 22))]
)
def test_up_to_31_days_away_buy_no_time(unit, back, joined):
    directive(due_fixed_on=None)
    person = make_person(unit, since=date(2026, 1, 1), until=date(2026, 5, 20))
    add_post(person, unit, back, date.max)

    assert [found[2] for found in assignments(person)] == [date(2026, 1, 1), joined]


def test_the_later_of_fixed_day_and_days_after_joining_is_due(unit):
    directive()
    early, late = make_person(unit, since=date(2026, 1, 1)), make_person(unit, since=date(2026, 4, 1))

    assert assignments(early)[0][3] == date(2026, 4, 30)
    assert assignments(late)[0][3] == date(2026, 5, 31)


def test_which_post_matches_does_not_cut_a_stretch(unit):
    directive()
    person = make_person(unit, since=date(2026, 1, 1), until=date(2026, 3, 31))
    add_post(person, unit, date(2026, 3, 1), date(2026, 6, 30), key="acting")
    add_post(person, unit, date(2026, 7, 1), date(2026, 7, 31))

    assert [found[:2] for found in assignments(person)] == [(date(2026, 1, 1), date(2026, 7, 31))]


def test_a_role_outside_the_audience_is_never_reached(unit):
    directive()

    assert assignments(make_person(unit, role="custody")) == []


def test_a_stretch_found_late_is_paired_in_order(unit):
    directive(due_fixed_on=None)
    person = make_person(unit, since=date(2026, 3, 1))
    add_post(person, unit, date(2025, 1, 1), date(2025, 6, 30))

    rows = list(
        db.session.scalars(select(Assignment).where(Assignment.person_id == person).order_by(Assignment.id))
    )
    assert [(row.from_on, row.void, row.replaces_id) for row in rows] == [
        (date(2026, 3, 1), False, None),
        (date(2025, 1, 1), False, rows[0].id),
        (date(2026, 3, 1), False, None),
    ]


def test_a_person_moves_with_their_unit_from_the_day_it_moves(unit):
    north, south = make_unit("North", unit), make_unit("South", unit)
    team = make_unit("Team", north)
    made = make_directive()
    make_version(made, {1: make_activity()}, audience={"audience": [{"unit_under": [north]}], "except": []})
    person = make_person(team, since=date(2025, 1, 1))
    with transaction():
        at = stamp()
        old = db.session.scalars(select(UnitState).where(UnitState.unit_id == team)).one()
        common = {"recorded_at": at, "unit_id": team, "name": "Team"}
        db.session.add(
            UnitState(
                **common,
                parent_id=north,
                replaces_id=old.id,
                valid_from=old.valid_from,
                valid_to=date(2026, 2, 28),
            )
        )
        db.session.add(UnitState(**common, parent_id=south, valid_from=date(2026, 3, 1)))
        touch(units=[team])

    assert [found[:2] for found in assignments(person)] == [(date(2025, 1, 1), date(2026, 2, 28))]


def test_the_highest_number_wins_where_two_versions_begin_on_a_day(unit):
    made = make_directive()
    activities = {1: make_activity()}
    make_version(made, activities, audience=RESPONSE, due_fixed_on=date(2026, 1, 1))
    make_version(made, activities, number=2, audience=RESPONSE, due_fixed_on=date(2026, 2, 2))

    assert [found[3] for found in assignments(make_person(unit))] == [date(2026, 2, 2)]


def test_nothing_is_written_where_nothing_changes(unit):
    directive()
    person = make_person(unit)
    before = list(db.session.scalars(select(Assignment.id)))
    with transaction():
        stamp()
        touch(people=[person], units=[unit])

    assert list(db.session.scalars(select(Assignment.id))) == before
