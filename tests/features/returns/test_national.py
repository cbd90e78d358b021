"""Figures of all forces at a position: months, groups, and what changed and why."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain.reports.statistics import Share
from portal.features.returns.comparisons import (
    CORRECTION,
    ENTERED,
    LEFT,
    PROGRESS,
    CountStep,
    ForceMovement,
    read_movement,
    step_between,
)
from portal.features.returns.national import ShownCounts, list_requirements, read_groups, read_national
from tests.features.returns.factories import ask_for, make_force, make_return
from tests.features.returns.test_receipts import position
from tests.pages.monitoring.counting import statements


@pytest.fixture(autouse=True)
def _june(request, time_machine):
    if "database" in request.fixturenames:
        time_machine.move_to(datetime(2026, 6, 20, 9, tzinfo=UTC))


@pytest.fixture
def forces(database):
    """Four forces over April and May: one corrected April, one returned April alone, one May alone."""
    ask_for("2026-04", date(2026, 5, 14))
    ask_for("2026-05", date(2026, 6, 14))
    made = {key: make_force(key) for key in ("north", "south", "east", "west")}
    first = make_return(made["north"], "2026-04", 50, on=date(2026, 5, 10))
    make_return(made["south"], "2026-04", 40, on=date(2026, 5, 10))
    make_return(made["east"], "2026-04", 30, on=date(2026, 5, 10))
    make_return(made["north"], "2026-04", 45, number=2, on=date(2026, 6, 1), replaces=first)
    roles = {("", "role", "custody"): (40, 5, 20), ("", "role", "response"): (70, 5, 50)}
    make_return(made["north"], "2026-05", 70, on=date(2026, 6, 10), more=roles)
    hidden = {("", "role", "custody"): (None, None, None), ("", "role", "response"): (90, 10, 50)}
    make_return(made["south"], "2026-05", 55, on=date(2026, 6, 10), more=hidden)
    make_return(made["west"], "2026-05", 80, on=date(2026, 6, 18))
    return made


def test_the_months_of_all_forces_hold_what_counts_of_each(forces):
    figures = read_national(position(), 5)

    assert [month.period.period for month in figures.months] == ["2026-04", "2026-05"]
    assert figures.newest_month.share == Share(205, 300)
    assert figures.previous_month.share == Share(115, 300)
    assert (figures.newest_month.returned_count, figures.newest_month.asked_count) == (3, 4)
    shown = {force.key: figures.newest_month.figures_of(force).share for force in figures.forces}
    assert shown == {
        "north": Share(70, 100),
        "south": Share(55, 100),
        "west": Share(80, 100),
        "east": None,
    }
    earlier = read_national(position("2026-05-20"), 5)
    assert earlier.newest_month.period.period == "2026-04"
    assert earlier.newest_month.share == Share(120, 300)


def test_the_change_is_split_by_its_causes_and_adds_up(forces):
    movement = read_movement(read_national(position(), 5))

    assert (movement.first_share, movement.later_share) == (Share(120, 300), Share(205, 300))
    assert movement.steps == {
        CORRECTION: CountStep(-5, 0),
        PROGRESS: CountStep(40, 0),
        ENTERED: CountStep(80, 100),
        LEFT: CountStep(-30, -100),
    }
    north = next(each for each in movement.forces if each.force.key == "north")
    assert north.reasons == (
        "The earlier month was corrected from 50% (50 of 100) to 45% (45 of 100).",
        "25 people more complete.",
    )
    assert read_movement(read_national(position("2026-05-20"), 5)) is None


def test_roles_are_summed_over_forces_that_hid_none(forces):
    figures = read_national(position(), 5)

    groups = read_groups(figures.newest_month, "role", 5)

    assert {name: row.share for name, row in groups.table.rows.items()} == {
        "custody": Share(20, 35),
        "response": Share(50, 65),
    }
    assert (groups.forces, groups.left_out) == (1, 2)  # one returned no roles
    assert list_requirements(figures.newest_month) == [""]


def test_many_forces_need_as_many_statements_as_few(database):
    ask_for("2026-04", date(2026, 5, 14))
    ask_for("2026-05", date(2026, 6, 14))
    counts = []
    for added in (2, 20):
        for number in range(added):
            force = make_force(f"force-{added}-{number}")
            for month in ("2026-04", "2026-05"):
                make_return(force, month, 50 + number)
        with statements() as asked:
            read_movement(read_national(position(), 5))
        counts.append(len(asked))

    assert counts[0] == counts[1]


_SHOWN = some.none() | some.tuples(some.integers(0, 50), some.integers(0, 50)).map(
    lambda pair: ShownCounts((*pair, 0))
)


@given(_SHOWN, _SHOWN, _SHOWN)
def test_the_parts_of_a_change_are_the_whole_change(first, current, later):
    movement = ForceMovement(None, first, current, later)

    whole = step_between(first.share if first else None, later.share if later else None)
    assert sum(movement.steps.values(), CountStep()) == whole
