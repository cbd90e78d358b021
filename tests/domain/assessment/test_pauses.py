"""When the next attempt may begin after fails: waits, pauses, and help that ends a pause."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.assessment.queries import Fails, attempt_opens_at, is_paused, pause_ends_at

LAST = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Rules:
    """The rules of a version."""

    wait_minutes: int = 0
    pause_after: int = 3
    pause_hours: int = 24


rules = st.builds(Rules, st.integers(0, 3000), st.integers(0, 6), st.integers(1, 100))
fails = st.builds(Fails, st.integers(1, 30), st.just(LAST), st.booleans())


def test_there_is_a_pause_after_every_third_fail():
    ends = [pause_ends_at(Rules(), Fails(count, LAST)) for count in range(1, 8)]

    assert [end is not None for end in ends] == [False, False, True, False, False, True, False]
    assert ends[2] == LAST + timedelta(hours=24)


def test_help_ends_the_pause_and_leaves_the_wait():
    helped = Fails(3, LAST, helped=True)

    assert attempt_opens_at(Rules(wait_minutes=30), helped) == LAST + timedelta(minutes=30)
    assert attempt_opens_at(Rules(), helped) is None
    assert attempt_opens_at(Rules(), Fails()) is None


@given(rules, fails)
def test_an_attempt_opens_at_the_later_of_wait_and_pause(rule, failed):
    opens = attempt_opens_at(rule, failed) or LAST
    pause = pause_ends_at(rule, failed)

    assert opens == max(pause or LAST, LAST + timedelta(minutes=rule.wait_minutes))
    assert (pause is None) == (failed.helped or not rule.pause_after or failed.count % rule.pause_after != 0)


@given(rules, fails, st.integers(-10_000, 500_000))
def test_help_never_makes_anybody_wait_longer(rule, failed, seconds):
    now, helped = LAST + timedelta(seconds=seconds), Fails(failed.count, failed.last_at, helped=True)

    assert not is_paused(rule, helped, now)
    assert (attempt_opens_at(rule, helped) or LAST) <= (attempt_opens_at(rule, failed) or LAST)
    assert is_paused(rule, failed, now) == ((end := pause_ends_at(rule, failed)) is not None and now < end)
