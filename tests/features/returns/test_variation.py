"""How forces differ: the order, the limits, and what is said of few people."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain.reports.funnels import FunnelPlot
from portal.domain.reports.statistics import Share
from portal.features.returns.comparisons import compare_forces
from portal.features.returns.national import read_national
from tests.features.returns.factories import ask_for, make_force, make_return
from tests.features.returns.test_receipts import position


@pytest.fixture
def figures(database, time_machine):
    time_machine.move_to(datetime(2026, 6, 20, 9, tzinfo=UTC))
    ask_for("2026-05", date(2026, 6, 14))
    for key, complete, assigned in (
        ("large", 700, 1_010),
        ("low", 300, 810),
        ("middling", 140, 210),
        ("small", 15, 35),
    ):
        make_return(make_force(key), "2026-05", complete, assigned)
    make_force("silent")
    return read_national(position(), 5)


def test_forces_are_in_the_order_of_their_size_and_never_of_their_percentage(figures):
    variation = compare_forces(figures)

    assert [each.force.key for each in variation.forces] == ["large", "low", "middling", "small"]
    assert [force.key for force in variation.without_share] == ["silent"]
    assert [each.force.key for each in variation.beyond_limits] == ["low", "large", "middling"]
    assert variation.sentence.startswith("3 of 4 forces differ")
    small = variation.forces[-1]
    assert small.share == Share(15, 25)
    assert small.interval.high - small.interval.low > 0.3
    assert small.words == "Within what chance explains"


def test_the_funnel_has_a_point_for_each_force_between_its_limits(figures):
    funnel = compare_forces(figures).funnel

    assert funnel.drawn
    assert funnel.whole == Share(1_155, 2_025)
    assert funnel.most == 1_000
    assert [(point.name, point.mark) for point in funnel.points] == [
        ("Large Police", "up"),
        ("Low Police", "down"),
        ("Middling Police", "up"),
        ("Small Police", "dot"),
    ]
    assert funnel.span == (30, 70)
    assert [percent for percent, _ in funnel.grid] == [30, 50, 70]
    assert len(funnel.inner) > len(funnel.outer) > 10  # without what lies above or below the drawing


_SHARES = some.lists(
    some.tuples(some.integers(0, 3_000), some.integers(0, 3_000)).map(lambda pair: Share(pair[0], sum(pair))),
    max_size=8,
)


@given(_SHARES)
def test_everything_is_within_the_drawing(shares):
    funnel = FunnelPlot([(str(place), share) for place, share in enumerate(shares)])

    dots = [dot for piece in (*funnel.inner, *funnel.outer) for dot in piece]
    for dot in (*dots, *funnel.points):
        assert 0 <= dot.x <= 100
        assert 0 <= dot.y <= 100
    assert [point.name for point in funnel.points] == [
        str(n) for n, share in enumerate(shares) if share.total
    ]
    if not funnel.drawn:
        assert len(funnel.points) < 2
