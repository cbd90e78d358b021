"""Growth: what a slope is, what fails, and each dimension once at small sizes."""

import pytest

from benchmarks.growth import measure, plan
from benchmarks.growth.plan import DIMENSIONS, Reading
from benchmarks.growth.slopes import slopes_of

PEOPLE, DIRECTIVES = DIMENSIONS[0], DIMENSIONS[1]


def readings(line, *costs, dimension=PEOPLE, statements=(5, 5, 5)):
    return [
        Reading(dimension.key, size, line, cost, count)
        for size, cost, count in zip((100, 1_000, 10_000), costs, statements, strict=True)
    ]


@pytest.mark.parametrize(
    ("line", "costs", "verdict", "right"),
    [
        ("report, today", (9, 9, 10), "flat", True),
        ("report, today", (1, 5, 50), "linear", False),
        (plan.FILE, (1, 10, 100), "linear", True),
        (plan.FILE, (1, 3, 10), "slower than linear", True),
        (plan.FILE, (1, 20, 400), "faster than linear", False),
    ],
    ids=["flat page", "growing page", "file", "slow file", "fast file"],
)
def test_a_page_must_be_flat_and_a_file_at_most_linear(line, costs, verdict, right):
    (slope,) = slopes_of(PEOPLE, readings(line, *costs))

    assert (slope.verdict, slope.as_it_should) == (verdict, right)


def test_a_page_may_grow_only_with_what_it_lists():
    costs = (1, 10, 100)

    (by_people,) = slopes_of(PEOPLE, readings(plan.OVERVIEW, *costs))
    (by_directives,) = slopes_of(DIRECTIVES, readings(plan.OVERVIEW, *costs, dimension=DIRECTIVES))

    assert (by_people.as_it_should, by_directives.as_it_should) == (False, True)


def test_the_slope_is_the_exponent_and_the_last_step_shows_what_a_fixed_cost_hides():
    (slope,) = slopes_of(PEOPLE, readings(plan.ISSUE, 10, 11, 1_100))

    assert slope.exponent == pytest.approx(1.02, abs=0.01)
    assert slope.last_step == pytest.approx(2)
    assert slope.verdict == "linear, faster in the last step"
    assert slope.as_it_should


def test_a_statement_for_each_row_fails_a_page_however_fast_it_is():
    some = readings("list of people", 9, 9, 9, statements=(4, 8, 24))

    (slope,) = slopes_of(PEOPLE, some)

    assert slope.verdict == "flat, 20 more statements"
    assert not slope.as_it_should
    failing = [figure.what for figure in measure.figures(some) if figure.met is False and figure.fails_build]
    assert failing == ["more people: list of people, statements"]


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_every_dimension_is_measured_at_small_sizes():
    some = measure.read_all(quick=True)

    for dimension in DIMENSIONS:
        slopes = {slope.line: slope for slope in slopes_of(dimension, some)}
        assert list(slopes) == [*plan.PAGES, *plan.BULK], dimension.key
        assert [slope.line for slope in slopes.values() if slope.verdict.endswith("statements")] == []
        assert {len(slope.readings) for slope in slopes.values()} == {2}
    text = measure.text({each: slopes_of(each, some) for each in DIMENSIONS}, "today", {})
    assert text.count("\n## ") == len(DIMENSIONS)
    assert "directives reconcile" in measure.picture({each: slopes_of(each, some) for each in DIMENSIONS})
