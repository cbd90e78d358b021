"""On random histories, the steps between two reports explain every changed cell, and nothing else."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.people.models import Post
from portal.domain.reports.changes import Causes
from portal.domain.status.changes import find_changed_cells, list_steps
from portal.domain.status.counts import Scope, Whose
from portal.platform.clock import end_of_day, london_day
from portal.platform.db import db
from tests.databases import undone
from tests.domain.status.histories import ACTS, DAYS, VALIDITY, WAITS, History, Recorded
from tests.domain.status.test_histories import QUIET, reported

EVERYONE = Whose(everyone=True)
ENDS = st.lists(st.tuples(DAYS, DAYS, st.integers(0, 100), st.integers(0, 100)), min_size=4, max_size=4)


def shown(periods, whose):
    """What a report shows of each cell of these people."""
    return {
        key: (row.status, date.fromordinal(row.due_on)) for key, row in periods.items() if is_of(row, whose)
    }


def is_of(row, whose):
    post = db.session.get(Post, row.post_id)
    return whose.role in ("", post.designated_role) and (whose.within is None or post.unit_id in whose.within)


def groups(history):
    """Everybody, a role, and the people of some units: others than before in the later position."""
    yield EVERYONE, EVERYONE
    yield (Whose(everyone=True, role="response"),) * 2
    yield (Whose(everyone=True, within=frozenset(history.units[:2])),) * 2
    before, after = (
        Whose(everyone=True, within=frozenset(units)) for units in (history.units[1:], history.units[:1])
    )
    yield before, after


LAPSED_APART = {  # one requirement lapses while the other lapsed before: the whole begins anew that day
    "acts": [("record", 2, date(2024, 3, 1)), ("record", 4, date(2024, 5, 5))],
    "validity": {"validity_months": 12},
    "ends": [(date(2025, 4, 1), date(2025, 6, 1), 2, 2)],
    "waits": [0, 3000],
}


@pytest.mark.slow
@QUIET
@example(**LAPSED_APART)
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
            for whose in groups(history):
                compare(history, (first, then), (last, now), *whose)
            compare(history, (london_day(then), then), (london_day(now), end_of_day(london_day(now))))


def pick(history, number):
    return history.stamps[number % len(history.stamps)]


def compare(history, then, now, before=EVERYONE, after=EVERYONE):
    scopes = [Scope((history.directive,), *then, before), Scope((history.directive,), *now, after)]
    old, new = shown(reported(history, *then), before), shown(reported(history, *now), after)
    differing = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}

    cells = find_changed_cells(*scopes)
    assert {(person, place) for person, of in cells.items() for place in of} == differing
    for person, of_person in cells.items():
        for place, pair in of_person.items():
            shown_pair = [cell and (cell.status, cell.due_on) for cell in pair]
            assert shown_pair == [old.get((person, place)), new.get((person, place))]

    ways = list_steps(*scopes, history.people)
    causes = Causes(history.directive, history.people, now[1])
    for person in history.people:
        for place in {step.position for step in ways[person]} | {p for who, p in differing if who == person}:
            way = [step for step in ways[person] if step.position == place]
            cell = old.get((person, place))
            for step in way:  # each begins where the one before ended; the last ends at the second position
                assert (step.old and step.old[:2]) == cell
                cell = step.new and step.new[:2]
                explained = before != after or causes.causes_of(person, step, ways[person])
                assert explained, f"nothing explains {step}"
            assert cell == new.get((person, place))
