"""Actions on a recommendation: what each is on a day, and what it waits for, which is never itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.reports.parameters import Position
from portal.features.assurance import services
from portal.features.assurance.desk import read_desk
from portal.features.assurance.models import ActionVersion
from portal.features.assurance.services import (
    ActionDetails,
    ActionLine,
    EntryRefusedError,
    find_cycle,
    list_action_lines,
)
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, newest_stamp, transaction
from portal.platform.errors import NotFoundError
from tests.factories.people import make_person
from tests.features.assurance.factories import make_recommendation

TODAY = date(2026, 5, 12)
NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
BRIEF = ActionDetails("Brief every team", None, date(2026, 6, 30), "open")


@pytest.fixture
def person(database: None):
    """Who enters everything, on 12 May 2026, about the recommendation e-learning."""
    with time_machine.travel(NOW, tick=False):
        make_recommendation()
        yield make_person()


@pytest.fixture
def add(person: int) -> Callable[..., str]:
    numbers = count(1)

    def add_action(*waits_for: str, on: date = TODAY, **changes: object) -> str:
        changes = {"title": f"Brief team {next(numbers)}"} | changes
        details = replace(BRIEF, waits_for=waits_for, **changes)
        with transaction():
            return services.add_action("e-learning", details, from_on=on, at=NOW, by=person)

    return add_action


@pytest.fixture
def change(person: int) -> Callable[..., bool]:
    def change_action(reference: str, *waits_for: str, on: date = TODAY, **changes: object) -> bool:
        details = replace(BRIEF, waits_for=waits_for, **changes)
        with transaction():
            return services.change_action(reference, details, "As agreed.", from_on=on, at=NOW, by=person)

    return change_action


def lines(day: date = TODAY) -> list[ActionLine]:
    newest = newest_stamp()
    assert newest
    return list_action_lines(read_desk(Position(day, newest, TODAY, latest=True)), day)


def test_what_waits_for_an_undone_action_says_so_until_it_is_done(add, change):
    first, second = add(), add()
    change(second, first)

    assert [waited.reference for waited in lines()[1].waits_for] == [first]

    change(first, state="done")
    assert [(line.reference, line.waits_for) for line in lines()] == [(second, ()), (first, ())]


def test_no_action_waits_for_itself_not_even_through_others_and_on_no_day(add, change):
    first, second, third = add(), add(), add()
    change(second, first), change(third, second)

    for waits_for, words in (
        (
            [third],
            f"These actions would wait for each other: {first} waits for {third} waits for {second}",
        ),
        ([first], "An action cannot wait for itself."),
        (["A-0099"], "A-0099 does not exist on that day. Choose another action."),
    ):
        with pytest.raises(EntryRefusedError, match=words):
            change(first, *waits_for)
    assert db.session.query(ActionVersion).count() == 5


def test_actions_that_would_wait_for_each_other_on_a_later_day_are_refused_when_entered_late(add, change):
    april = date(2026, 4, 1)
    first, second = add(on=april), add(on=april)
    change(second, first, on=date(2026, 5, 1))

    with pytest.raises(EntryRefusedError, match="wait for each other"):
        change(first, second, on=date(2026, 4, 15))


def test_an_entry_of_an_earlier_day_does_not_hide_what_holds_today(add, change):
    reference = add(on=date(2026, 4, 1))
    assert change(reference, on=date(2026, 5, 1), state="done") is True

    assert change(reference, on=date(2026, 4, 15), state="under_way") is False

    assert lines()[0].state == "done"
    assert lines(date(2026, 4, 20))[0].state == "under_way"
    assert lines(date(2026, 4, 10))[0].state == "open"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"on": TODAY + timedelta(days=1)}, "from_on"),
        ({"on": date(1899, 12, 31)}, "from_on"),
        ({"title": " "}, "title"),
        ({"title": "x" * 151}, "title"),
        ({"state": "finished"}, "state"),
    ],
)
def test_what_cannot_be_entered_names_its_field(add, changes, field):
    with pytest.raises(EntryRefusedError) as refused:
        add(**changes)
    assert refused.value.field == field
    assert lines() == []


def test_a_change_that_changes_nothing_and_an_unknown_action_are_refused(add, change):
    reference = add(title=BRIEF.title)
    with pytest.raises(EntryRefusedError, match="Nothing is different"):
        change(reference)
    with pytest.raises(NotFoundError):
        change("A-0099")


def test_its_owner_tells_more_of_an_action_that_is_no_further_but_not_the_same_twice(add, person):
    reference = add(owner_id=person, state="under_way")

    def tell(reason: str) -> None:
        with transaction():
            services.report_progress(reference, "under_way", reason, from_on=TODAY, at=NOW, by=person)

    tell("Six of nine teams.")
    tell("Eight of nine teams.")
    assert lines()[0].reason == "Eight of nine teams."
    with pytest.raises(EntryRefusedError, match="Nothing is different"):
        tell("Eight of nine teams.")


def test_what_is_late_comes_first_and_what_is_done_last(add):
    add(state="done", due_on=date(2026, 1, 1))
    add(due_on=None), add(due_on=date(2026, 5, 13)), add(due_on=date(2026, 5, 11))

    assert [(line.reference, line.is_late) for line in lines()] == [
        ("A-0004", True), ("A-0003", False), ("A-0002", False), ("A-0001", False),
    ]  # fmt: skip


def test_each_entry_is_in_the_audit_trail_with_its_owner_but_without_its_text(add, person):
    add(owner_id=person)

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "assurance_action.added")).one()
    assert (event.actor_id, event.subject_id) == (person, person)
    assert event.detail == {"reference": "A-0001", "recommendation": "e-learning", "since": "2026-05-12"}


@given(st.dictionaries(st.integers(1, 6), st.sets(st.integers(1, 6), max_size=3), max_size=6))
def test_a_circle_is_found_exactly_where_the_start_can_be_reached_again(waits):
    reached: set[int] = set()
    open_ends = list(waits.get(1, ()))
    while open_ends:
        each = open_ends.pop()
        if each not in reached:
            reached.add(each)
            open_ends += waits.get(each, ())

    circle = find_cycle(waits, 1)

    assert bool(circle) == (1 in reached)
    if circle:
        assert (circle[0], circle[-1]) == (1, 1)
        assert all(after in waits[before] for before, after in pairwise(circle))


def test_days_are_of_london(person):
    late = datetime(2026, 5, 11, 23, 30, tzinfo=UTC)  # 00:30 on 12 May in London
    with transaction():
        services.add_action("e-learning", BRIEF, from_on=clock.london_day(late), at=late, by=person)
    assert [line.since for line in lines()] == [TODAY]
