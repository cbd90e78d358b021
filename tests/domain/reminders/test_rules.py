"""When mail may go and which day asks for which reminder: examples and properties."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.reminders.rules import (
    LATE,
    MISSING,
    PlanningWindow,
    ReminderReason,
    ReminderRules,
    SendWindow,
    list_reasons,
)
from portal.domain.reminders.sending import bank_holidays
from portal.domain.status.rules import Status
from portal.platform.clock import LONDON

DAY = date(2026, 4, 30)
HOURS = SendWindow(days_off=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))  # Good Friday, Easter Monday
DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


def london(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        (london(DAY, 7), london(DAY, 7)),
        (london(DAY, 19, 59), london(DAY, 19, 59)),
        (london(DAY, 20), london(date(2026, 5, 1), 7)),
        (london(DAY, 3), london(DAY, 7)),
        (london(date(2026, 4, 2), 21), london(date(2026, 4, 4), 7)),  # over Good Friday
        (london(date(2026, 4, 6), 12), london(date(2026, 4, 7), 7)),
        (london(date(2026, 3, 28), 21), datetime(2026, 3, 29, 6, tzinfo=UTC)),  # summer time has begun
        (london(date(2026, 10, 24), 21), datetime(2026, 10, 25, 7, tzinfo=UTC)),  # and ended
    ],
)
def test_mail_waits_for_the_next_hour_in_which_it_may_go(asked: datetime, goes: datetime) -> None:
    assert HOURS.next_allowed(asked) == goes
    assert HOURS.allows_sending(asked) is (asked == goes)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 1), timezones=st.just(UTC)))
def test_the_next_allowed_instant_is_allowed_and_no_earlier_one_is(asked: datetime) -> None:
    goes = HOURS.next_allowed(asked)
    assert HOURS.allows_sending(goes)
    assert goes >= asked
    for part in (0.0, 0.25, 0.5, 0.75, 0.999):
        before = asked + (goes - asked) * part
        assert before == goes or not HOURS.allows_sending(before)


def test_the_bank_holidays_of_england_and_wales_are_known() -> None:
    assert {date(2026, 12, 25), date(2027, 3, 26), date(2027, 8, 30)} <= bank_holidays()
    assert date(2026, 11, 30) not in bank_holidays()  # Saint Andrew's day: Scotland's


def test_no_day_left_says_so() -> None:
    off = frozenset(DAY + timedelta(days=number) for number in range(100))
    with pytest.raises(ValueError, match="No day"):
        SendWindow(days_off=off).next_allowed(london(DAY, 12))


RULES = ReminderRules(notice_days=(30, 7, 1), overdue_every=7, escalate_after=14, ending_days=(60, 7))


def on(
    day: date, status: Status, *, until: date | None = None, rules: ReminderRules = RULES
) -> list[ReminderReason]:
    window = PlanningWindow(day - timedelta(days=1), day)
    return list_reasons(status, DAY, max(DAY, until or DAY), until, rules, window)


def test_a_calendar_of_one_directive() -> None:
    begun = Status.IN_PROGRESS
    asked = {day: on(day, begun) for day in (DAY - timedelta(days=n) for n in range(40))}
    assert [day for day, said in asked.items() if said] == [
        date(2026, 4, 29),
        date(2026, 4, 23),
        date(2026, 3, 31),
    ]
    late = {day: on(day, Status.OVERDUE) for day in (DAY + timedelta(days=n) for n in range(1, 30))}
    assert [day for day, said in late.items() if ReminderReason.OVERDUE in said] == [
        date(2026, 5, 1),
        date(2026, 5, 8),
        date(2026, 5, 15),
        date(2026, 5, 22),
        date(2026, 5, 29),
    ]
    assert [day for day, said in late.items() if ReminderReason.ESCALATION in said] == [
        date(2026, 5, 14),
        date(2026, 5, 21),
        date(2026, 5, 28),
    ]
    until = date(2026, 12, 31)
    assert on(date(2026, 11, 1), Status.EXPIRING, until=until) == [ReminderReason.ENDING]
    assert on(date(2026, 11, 2), Status.EXPIRING, until=until) == []
    # what lapsed counts as late from the day after it ended
    assert on(date(2027, 1, 1), Status.EXPIRED, until=until) == [ReminderReason.OVERDUE]


@given(
    status=st.sampled_from([Status.SATISFIED, Status.EXEMPT, Status.DEFERRED]),
    day=DAYS,
    due=DAYS,
    after=st.integers(1, 40),
)
def test_nobody_is_chased_for_what_is_done_or_not_asked(
    status: Status, day: date, due: date, after: int
) -> None:
    window = PlanningWindow(day - timedelta(days=after), day)
    assert list_reasons(status, due, due, None, RULES, window) == []
    assert not any(reason.still_applies(status) for reason in ReminderReason)
    assert not any(reason.still_applies(None) for reason in ReminderReason)


@given(
    status=st.sampled_from(sorted(MISSING | LATE)),
    first=DAYS,
    steps=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    due=st.integers(-60, 60),
    every=st.sampled_from([0, 1, 7, 30]),
)
def test_days_on_which_nothing_ran_lose_no_reminder(
    status: Status, first: date, steps: list[int], due: int, every: int
) -> None:
    """What is asked for in windows of any lengths is what one long window asks for, and no more."""
    rules = ReminderRules((30, 7, 1), every, 14, ())
    last = first + timedelta(days=sum(steps))
    due_on = first + timedelta(days=due)
    if status in LATE and due_on >= first:
        due_on = first - timedelta(days=1)  # late all the while
    if status in MISSING and due_on < last:
        due_on = last + timedelta(days=due % 30)
    day, reasons = first, set[ReminderReason]()
    for step in steps:
        window = PlanningWindow(day, day + timedelta(days=step))
        reasons |= set(list_reasons(status, due_on, due_on, None, rules, window))
        day = window.to
    assert reasons == set(list_reasons(status, due_on, due_on, None, rules, PlanningWindow(first, last)))
