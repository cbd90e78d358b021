"""When refusals are an alert, for any instants: compared with a rule that looks at every window."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.audit_desk.queries import AuditFilters, Place
from portal.domain.audit_desk.services import AlertRule
from portal.platform.clock import london_day

RULE = AlertRule(3, timedelta(minutes=10), timedelta(hours=1))
START = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)  # the clocks go forward an hour later
SECONDS = st.lists(st.integers(0, 4 * 3600), max_size=60)


def alerts_of(moments: list[datetime]) -> list[datetime]:
    """The alerts that the rule raises, event by event."""
    raised: list[datetime] = []
    for number, at in enumerate(moments, start=1):
        recent = moments[:number][::-1][: RULE.count]  # the newest, as the database gives them
        if RULE.is_alert(recent, raised[-1] if raised else None, at):
            raised.append(at)
    return raised


@given(SECONDS)
def test_every_burst_is_alerted_and_none_twice_within_the_quiet_time(seconds):
    moments = [START + timedelta(seconds=second) for second in sorted(seconds)]
    raised = alerts_of(moments)

    for earlier, later in itertools.pairwise(raised):
        assert later - earlier >= RULE.quiet
    for number, at in enumerate(moments, start=1):
        in_window = [moment for moment in moments[:number] if at - RULE.window < moment]
        is_burst = len(in_window) >= RULE.count
        is_quiet = any(alert <= at < alert + RULE.quiet for alert in raised)
        assert not is_burst or is_quiet


@given(SECONDS)
def test_fewer_than_the_rule_are_no_alert(seconds):
    moments = [START + timedelta(seconds=second) for second in sorted(seconds)]

    for alert in alerts_of(moments):
        assert sum(alert - RULE.window < moment <= alert for moment in moments) >= RULE.count


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), st.integers(-3, 3), st.integers(0, 3))
def test_a_period_has_an_instant_exactly_on_its_london_days(moment, first, length):
    at = moment.replace(tzinfo=UTC)
    day = london_day(at)
    filters = AuditFilters(from_on=day + timedelta(days=first), to_on=day + timedelta(days=first + length))
    after, until = [clause.right.value for clause in filters.conditions()]

    assert (after < at <= until) == (first <= 0 <= first + length)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 7))
def test_pages_together_are_the_list_however_many_acts_share_an_instant(offsets, size):
    instants = sorted((START + timedelta(microseconds=offset) for offset in offsets), reverse=True)
    place, read = Place(datetime(9999, 1, 1, tzinfo=UTC)), []
    while True:
        rest = [moment for moment in instants if moment <= place.at][place.skip :]
        read += rest[:size]
        if len(rest) <= size:
            break
        following = place.after(rest[:size])
        assert Place.parse(str(following)) == following
        place = following

    assert read == instants


@given(st.text(max_size=50))
def test_no_text_breaks_a_place(text):
    assert Place.parse(text) is None or str(Place.parse(text))
