"""The way from one position to another explains every changed cell, and nothing else: random histories."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clock import end_of_day, london_day
from portal.monitoring.causes import Causes
from portal.standing.changes import changed, steps
from portal.standing.queries import Scope, Whose
from tests.standing.histories import ACTS, DAYS, VALIDITY, WAITS, History, Recorded
from tests.standing.test_histories import QUIET, reported, undone

EVERYONE = Whose(everyone=True)
ENDS = st.lists(st.tuples(DAYS, DAYS, st.integers(0, 100), st.integers(0, 100)), min_size=4, max_size=4)


def shown(spans):
    """What a report shows of each cell."""
    return {key: (row.status, date.fromordinal(row.due_on)) for key, row in spans.items()}


@pytest.mark.slow
@QUIET
@given(acts=ACTS, validity=VALIDITY, ends=ENDS, waits=WAITS)
def test_every_changed_cell_is_explained_and_nothing_else(database, monkeypatch, acts, validity, ends, waits):
    with undone():
        recorded = Recorded(monkeypatch)
        history = History(validity)
        for act, hours in zip(acts, waits, strict=False):
            recorded.wait(hours)
            history.act(*act)
        for first, last, before, after in ends:
            then, now = pick(history, before), pick(history, after)
            compare(history, (first, then), (last, now))
            compare(history, (london_day(then), then), (london_day(now), end_of_day(london_day(now))))


def pick(history, number):
    return history.stamps[number % len(history.stamps)]


def compare(history, then, now):
    scopes = [Scope(history.directive, *position, EVERYONE) for position in (then, now)]
    old, new = (shown(reported(history, *position)) for position in (then, now))
    differing = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}

    cells = changed(*scopes)
    assert {(person, place) for person, of in cells.items() for place in of} == differing
    for person, of_person in cells.items():
        for place, pair in of_person.items():
            told = [cell and (cell.status, cell.due_on) for cell in pair]
            assert told == [old.get((person, place)), new.get((person, place))]

    ways = steps(*scopes, history.people)
    causes = Causes(history.directive, history.people, now[1])
    for person in history.people:
        for place in {step.position for step in ways[person]} | {p for who, p in differing if who == person}:
            way = [step for step in ways[person] if step.position == place]
            cell = old.get((person, place))
            for step in way:  # each begins where the one before ended; the last ends at the second position
                assert (step.old and step.old[:2]) == cell
                cell = step.new and step.new[:2]
                assert causes.of(person, step), f"nothing explains {step}"
            assert cell == new.get((person, place))
