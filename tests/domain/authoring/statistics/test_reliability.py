"""Reliability, thirds, times and verdicts, checked against a published worked example and by hand."""

import statistics
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.authoring.item_statistics import (
    CHECK_KEY,
    KEEP,
    RETIRE,
    REWRITE,
    ItemThirds,
    OfferedChoice,
    QuickPasses,
    choice_curves,
    compare_thirds,
    compute_statistics,
    count_quick_passes,
    estimate_reliability,
    judge_item,
    reading_seconds,
    seconds_by_item,
    split_into_thirds,
    tally_marks,
)

# Karl L. Wuensch, “The Kuder-Richardson 20”, East Carolina University,
# https://core.ecu.edu/wuenschk/StatHelp/KR20.txt: ten students and items; p, pq and the variance of totals.
STUDENTS = """
1111110110 1011011101 1111011001 0010001000 0000010010
1110111111 1101110111 1111111101 0101111101 1101101110
""".split()
PUBLISHED_P = (0.7, 0.7, 0.6, 0.7, 0.6, 0.8, 0.7, 0.7, 0.5, 0.6)
PUBLISHED_PQ = (0.21, 0.21, 0.24, 0.21, 0.24, 0.16, 0.21, 0.21, 0.25, 0.24)
PUBLISHED_VARIANCE = 5.84
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
matrices = st.integers(2, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=width, max_size=width), min_size=2
    )
)


def as_sheets(rows):
    return [{item: float(mark) for item, mark in enumerate(row)} for row in rows]


def classic_alpha(rows):
    """Coefficient alpha as textbooks write it."""
    variances = [statistics.pvariance(column) for column in zip(*rows, strict=True)]
    total = statistics.pvariance([sum(row) for row in rows])
    return len(variances) / (len(variances) - 1) * (1 - sum(variances) / total)


def test_the_published_example_of_kr_20_comes_out():
    rows = [[int(mark) for mark in student] for student in STUDENTS]
    columns = list(zip(*rows, strict=True))
    assert tuple(sum(column) / 10 for column in columns) == PUBLISHED_P
    assert [round(p * (1 - p), 2) for p in PUBLISHED_P] == list(PUBLISHED_PQ)
    assert statistics.pvariance([sum(row) for row in rows]) == pytest.approx(PUBLISHED_VARIANCE)
    by_hand = 10 / 9 * (1 - sum(PUBLISHED_PQ) / PUBLISHED_VARIANCE)  # KR-20 = k/(k-1) (1 - Σpq/σ²)
    assert by_hand == pytest.approx(0.6963, abs=0.0001)

    reliability = estimate_reliability(as_sheets(rows))

    assert reliability.alpha == pytest.approx(by_hand)
    assert reliability.deviation**2 == pytest.approx(PUBLISHED_VARIANCE)
    assert reliability.error == pytest.approx((PUBLISHED_VARIANCE * (1 - by_hand)) ** 0.5)
    assert (reliability.attempts, reliability.items) == (10, 10)


@given(matrices)
def test_where_all_have_the_same_items_it_is_coefficient_alpha(rows):
    reliability = estimate_reliability(as_sheets(rows))

    if statistics.pvariance([sum(row) for row in rows]) < 1e-9:
        assert reliability is None or reliability.deviation < 1e-4
    else:
        assert reliability.alpha == pytest.approx(classic_alpha(rows), abs=1e-6)


def test_attempts_that_draw_different_items_are_taken_together():
    """Two halves of one bank, each a copy of the example: the same reliability."""
    rows = [[int(mark) for mark in student] for student in STUDENTS]
    other_half = [{item + 100: mark for item, mark in sheet.items()} for sheet in as_sheets(rows)]

    both = estimate_reliability([*as_sheets(rows), *other_half])

    assert both.alpha == pytest.approx(estimate_reliability(as_sheets(rows)).alpha)
    assert estimate_reliability([{1: 1.0}, {2: 0.0}]) is None
    assert estimate_reliability([{1: 1.0, 2: 1.0}] * 5) is None


def test_thirds_of_the_example_by_hand():
    scores = [sum(map(int, student)) for student in STUDENTS]  # 8 7 7 2 2 9 8 9 7 7

    thirds = split_into_thirds(scores)

    # The four sevens lie between 2 and 6 of 10: at 0.4, so in the middle; the eights at 0.7 are in the upper.
    assert thirds == [2, 1, 1, 0, 0, 2, 2, 2, 1, 1]
    first_item = [(third, float(student[0])) for third, student in zip(thirds, STUDENTS, strict=True)]
    assert compare_thirds(first_item) is None  # two in the lower third are too few to say
    assert compare_thirds(first_item * 3) == 1.0  # all of the upper third have it, none of the lower


def test_choice_curves_are_shares_of_each_third():
    answers = [(0, ["a"])] * 6 + [(0, ["b"])] * 4 + [(1, ["b"])] * 5 + [(2, ["b"])] * 9 + [(2, ["c"])]

    curves = {curve.key: curve.shares for curve in choice_curves(["a", "b", "c"], answers)}

    assert curves == {"a": (0.6, 0, 0), "b": (0.4, 1, 0.9), "c": (0, 0, 0.1)}
    assert choice_curves(["a"], answers[:8]) == ()
    scenes = [(0, ["one/a"])] * 5 + [(2, ["one/b", "two/a"])] * 5
    shares = {curve.key: curve.shares for curve in choice_curves(["one/b", "two/a", "two/b"], scenes)}
    assert shares == {"one/b": (0, 0, 1), "two/a": (0, 0, 1), "two/b": (0, 0, 0)}


def figures(right: int, answers: int, *, agrees: bool = True):
    """One item among others, right in the best attempts or in the worst."""
    marks = [int(n < right) for n in range(answers)]
    rests = marks if agrees else [1 - mark for mark in marks]
    sheets = [{"1": f"{a}.0000", "2": f"{b}.0000"} for a, b in zip(marks, rests, strict=True)]
    options = [OfferedChoice("a", "A", True), OfferedChoice("b", "B", False)]
    return compute_statistics(tally_marks(sheets)[1], options, [(["a"], right), (["b"], answers - right)])


@pytest.mark.parametrize(
    ("right", "agrees", "discrimination", "verdict"),
    [
        (60, True, 0.5, KEEP),
        (20, True, 0.5, REWRITE),
        (98, True, 0.1, RETIRE),
        (60, False, -0.4, CHECK_KEY),
        (60, False, 0.1, REWRITE),
    ],
    ids=["good", "hard", "easy", "against the rest", "weak"],
)
def test_what_to_do_is_said_plainly(right, agrees, discrimination, verdict):
    assert judge_item(figures(right, 100, agrees=agrees), ItemThirds(discrimination)) == verdict


def test_a_wrong_choice_that_the_best_take_more_often_puts_the_key_in_doubt():
    curves = choice_curves(["a", "b"], [(0, ["a"])] * 6 + [(2, ["b"])] * 5 + [(2, ["a"])] * 2)

    assert judge_item(figures(60, 100), ItemThirds(0.3, curves)) == CHECK_KEY
    assert judge_item(figures(15, 29), ItemThirds(None, curves)) == ""


def test_time_is_the_median_until_the_first_answer_without_breaks():
    def after(seconds):
        return START + timedelta(seconds=seconds)

    one = (START, [(1, after(40)), (2, after(100)), (1, after(110)), (3, after(800))])
    two = (START, [(1, after(20)), (2, after(50))])

    assert seconds_by_item([one, two]) == {1: 30, 2: 45}


def test_quick_passes_are_counted_only_among_ten():
    choices = {"choices": [{"html": "Ring <em>now</em>", "feedback_html": "Not read"}] * 4}
    reading = reading_seconds("What do you do?", "<p>At night.</p>", choices)
    assert reading == (4 + 2 + 8) * 60 / 200
    passes = [(timedelta(seconds=reading / 2), reading)] * 8 + [(timedelta(seconds=reading / 4), reading)] * 2

    assert count_quick_passes(passes) == QuickPasses(2, 10)
    assert count_quick_passes(passes[1:]) is None


def test_marks_of_a_scenario_are_parts_of_one():
    sheets = [{1: float(Decimal("0.6666")), 2: 1.0}, {1: 0.25, 2: 0.0}, {1: 1.0, 2: 1.0}]

    assert estimate_reliability(sheets).alpha == pytest.approx(
        classic_alpha([list(sheet.values()) for sheet in sheets])
    )
