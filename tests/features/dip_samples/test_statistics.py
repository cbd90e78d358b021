"""Wilson's interval against published values, and the funnel, which is the same test from the other side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.reports.funnels import (
    ALARM,
    FEWEST,
    WARNING,
    Interval,
    Standing,
    funnel_limits,
    judge_standing,
    wilson_interval,
)

COUNTED = st.integers(1, 5_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@pytest.mark.parametrize(
    ("reached", "total", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_the_interval_has_the_published_values(reached: int, total: int, low: float, high: float) -> None:
    interval = wilson_interval(reached, total)

    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_the_interval_of_no_documents_is_from_nought_to_one() -> None:
    assert wilson_interval(0, 0) == funnel_limits(0.5, 0) == Interval(0.0, 1.0)


@given(COUNTED)
def test_the_interval_covers_the_share_and_stays_within_nought_and_one(counted: tuple[int, int]) -> None:
    interval = wilson_interval(*counted)

    assert 0 <= interval.low <= counted[0] / counted[1] <= interval.high <= 1


@given(COUNTED)
def test_the_interval_of_the_rest_is_its_mirror(counted: tuple[int, int]) -> None:
    reached, total = counted
    one, rest = wilson_interval(reached, total), wilson_interval(total - reached, total)

    assert one.low == pytest.approx(1 - rest.high, abs=1e-12)


@given(COUNTED, st.integers(2, 20))
def test_more_documents_with_the_same_share_narrow_it(counted: tuple[int, int], times: int) -> None:
    reached, total = counted
    few, many = wilson_interval(reached, total), wilson_interval(reached * times, total * times)

    assert many.high - many.low < few.high - few.low


@given(COUNTED, st.floats(0.01, 0.99), st.sampled_from([WARNING, ALARM]))
def test_a_unit_is_outside_the_funnel_where_its_own_interval_leaves_out_the_share_of_all(
    counted: tuple[int, int], share: float, deviations: float
) -> None:
    reached, total = counted
    half = deviations * (share * (1 - share) / total) ** 0.5
    if abs(abs(reached / total - share) - half) < 1e-9:
        return  # on the line itself, where the last digit decides

    within = funnel_limits(share, total, deviations).covers(reached / total)

    assert within == wilson_interval(reached, total, deviations).covers(share)


@given(
    st.integers(0, FEWEST - 1).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0, 1)
)
def test_fewer_than_ten_documents_are_not_judged(counted: tuple[int, int], share: float) -> None:
    assert judge_standing(*counted, share) is Standing.TOO_FEW


@pytest.mark.parametrize(
    ("reached", "total", "standing"),
    [
        (10, 10, Standing.INSIDE),
        (28, 40, Standing.INSIDE),
        (26, 40, Standing.LOW),
        (20, 40, Standing.VERY_LOW),
        (39, 40, Standing.HIGH),
        (200, 205, Standing.VERY_HIGH),
    ],
)
def test_a_unit_is_compared_with_a_force_of_eighty_per_cent(
    reached: int, total: int, standing: Standing
) -> None:
    assert judge_standing(reached, total, 0.8) is standing
