"""When a module is recalled: properties that hold for every history, and the rule of py-fsrs."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.features.recall.rules import LEAST_DAYS, MOST_DAYS, FsrsRule, Recall, next_recall_on
from portal.platform.clock import LONDON, london_day

PASSED = date(2026, 3, 1)
RULE = FsrsRule()


class AnyRule:
    """A rule that always says so many days, however absurd."""

    def __init__(self, days: int) -> None:
        self.days = days

    def days_to_next(self, passed_on: date, recalls: object) -> int:
        return self.days


@st.composite
def histories(draw: st.DrawFn) -> tuple[date, list[Recall]]:
    """A pass, and recalls that were each answered when they were due or some time later."""
    passed_on = draw(st.dates(date(2025, 1, 1), date(2030, 12, 31)))
    recalls: list[Recall] = []
    for _ in range(draw(st.integers(0, 12))):
        due_on = next_recall_on(passed_on, recalls, RULE)
        late = draw(st.integers(0, 400))
        recalls.append(Recall(due_on + timedelta(days=late), draw(st.integers(0, 3)), 3))
    return passed_on, recalls


@given(histories())
def test_a_week_to_twelve_after_the_last_never_earlier_and_never_later(history):
    passed_on, recalls = history

    due_on = next_recall_on(passed_on, recalls, RULE)

    last_on = recalls[-1].day if recalls else passed_on
    assert due_on >= passed_on + timedelta(days=LEAST_DAYS)
    assert timedelta(days=LEAST_DAYS) <= due_on - last_on <= timedelta(days=MOST_DAYS)


@given(histories(), st.integers(-10_000, 10_000))
def test_no_rule_leads_out_of_these_bounds(history, days):
    passed_on, recalls = history

    due_on = next_recall_on(passed_on, recalls, AnyRule(days))

    last_on = recalls[-1].day if recalls else passed_on
    assert timedelta(days=LEAST_DAYS) <= due_on - last_on <= timedelta(days=MOST_DAYS)


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_read_does_not_matter(history, chance):
    passed_on, recalls = history
    shuffled = recalls[:]
    chance.shuffle(shuffled)

    assert next_recall_on(passed_on, shuffled, FsrsRule()) == next_recall_on(passed_on, recalls, RULE)


@given(histories(), st.integers(0, 2))
def test_who_knew_less_is_asked_no_later(history, right):
    passed_on, recalls = history
    on = next_recall_on(passed_on, recalls, RULE)

    knew_all = next_recall_on(passed_on, [*recalls, Recall(on, 3, 3)], RULE)
    knew_less = next_recall_on(passed_on, [*recalls, Recall(on, right, 3)], RULE)

    assert knew_less <= knew_all


def test_who_knows_it_is_asked_less_and_less_and_who_forgot_after_a_week():
    recalls, gaps = [], []
    for right in (3, 3, 3, 3, 3, 0):
        on = next_recall_on(PASSED, recalls, RULE)
        gaps.append((on - (recalls[-1].day if recalls else PASSED)).days)
        recalls.append(Recall(on, right, 3))

    assert gaps[0] == LEAST_DAYS
    assert gaps == sorted(gaps)
    assert gaps[-1] == MOST_DAYS
    assert (next_recall_on(PASSED, recalls, RULE) - recalls[-1].day).days < MOST_DAYS / 2


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)], ids=["spring", "autumn"])
@pytest.mark.parametrize("hour", [0, 1, 2, 23])
def test_the_nights_that_change_the_clocks_are_days_like_others(change, hour):
    """The instant of an answer is a London day; from there on days are counted, not hours."""
    for nights in range(-2, 3):
        day = change + timedelta(days=nights)
        answered = datetime(day.year, day.month, day.day, hour, 30, tzinfo=LONDON).astimezone(UTC)
        assert london_day(answered) == day
        due_on = next_recall_on(day - timedelta(days=9), [Recall(london_day(answered), 0, 3)], RULE)
        assert (due_on - day).days == LEAST_DAYS


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_time_zone_of_the_machine_changes_nothing(monkeypatch, zone):
    recalls = [Recall(PASSED + timedelta(days=8), 2, 3), Recall(PASSED + timedelta(days=20), 3, 3)]
    expected = next_recall_on(PASSED, recalls, FsrsRule())
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert next_recall_on(PASSED, recalls, FsrsRule()) == expected
    finally:
        monkeypatch.undo()
        time.tzset()
