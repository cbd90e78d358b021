"""The tree of units through time."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.people.units import KnownUnitState, UnitTree

START = date(2026, 1, 1)
DAYS = st.integers(0, 60).map(lambda days: START + timedelta(days=days))
STATES = st.lists(st.tuples(st.integers(1, 3), DAYS, st.integers(0, 30)), max_size=6)


@given(STATES)
def test_on_days_of_one_stretch_every_unit_stands_alike(some):
    tree = UnitTree(
        KnownUnitState(number, unit_id, f"Unit {unit_id}", None, first, first + timedelta(days=more))
        for number, (unit_id, first, more) in enumerate(some)
    )
    days = [START + timedelta(days=number) for number in range(-1, 95)]
    stood = {day: [tree.state_on(unit_id, day) for unit_id in (1, 2, 3)] for day in days}
    for before, day in pairwise(days):
        if tree.version_on(before) == tree.version_on(day):
            assert stood[before] == stood[day]
        else:
            assert tree.version_on(before) < tree.version_on(day)


def test_a_state_that_lasts_for_ever_begins_one_stretch():
    tree = UnitTree([KnownUnitState(1, 1, "Force", None, START, date.max)])
    assert [tree.version_on(day) for day in (START - timedelta(days=1), START, date.max)] == [0, 1, 1]
