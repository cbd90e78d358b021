"""The rules of the roster against a plain reading of them, day by day, for random files and histories."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.people import roster_store
from portal.domain.people.roster_plan import RosterRow
from portal.domain.people.units import rename_unit
from portal.platform.db import OPEN_END, stamp, transaction
from portal.platform.errors import BadInputError
from tests.domain.imports.rosters import import_rows, plan_rows, row
from tests.examples import few_or_many

DAYS = 14
FIRST = date(2026, 5, 25)
numbers = count(1)


def on(n):
    return FIRST + timedelta(n)


@st.composite
def files(draw):
    """Rows of two people: (person, key, first day, last day or None, role, withdrawn)."""
    starts = draw(
        st.lists(
            st.tuples(st.integers(0, 1), st.sampled_from(["", "acting"]), st.integers(0, DAYS - 1)),
            unique=True,
            min_size=1,
            max_size=5,
        )
    )
    rows = []
    for person, key, start in starts:
        end = draw(st.none() | st.none() | st.integers(start, DAYS))
        role = draw(st.sampled_from(["response", "custody"]))
        rows.append((person, key, start, end, role, draw(st.integers(0, 9)) == 0))
    return rows


def as_row(line, entry, people):
    person, key, start, end, role, withdraw = entry
    return RosterRow(
        line=line,
        staff_number=people[person],
        surname="Shah",
        forenames="Priya",
        email=None,
        says_email=True,
        rank_or_grade="Constable",
        designated_role=role,
        unit=("Westshire Police", f"Team {person}"),
        manager=None,
        valid_from=on(start),
        valid_to=None if end is None else on(end),
        post_key=key,
        withdraw=withdraw,
    )


def expected(known, withdrawn, entries):
    """Posts after a file, as the rule words it; None where a row is bad. A post: start -> (end, role)."""
    slots = {*known, *((e[0], e[1]) for e in entries)}
    after = {
        slot: slot_after(
            slot, known.get(slot, {}), withdrawn, [e[2:] for e in entries if (e[0], e[1]) == slot]
        )
        for slot in slots
    }
    return None if None in after.values() else after


def slot_after(slot, known, withdrawn, entries):
    gone = {start for start, _, _, withdraw in entries if withdraw}
    if any(start not in known and (slot, start) not in withdrawn for start in gone):
        return None
    rows = {start: (end, role) for start, end, role, withdraw in entries if not withdraw}
    remaining = {start: post for start, post in known.items() if start not in gone}
    remaining |= {start: (DAYS + 9 if end is None else end, role) for start, (end, role) in rows.items()}
    ends = [(start, end) for start, (end, _) in rows.items() if end is not None]
    if any(start < other <= end for start, end in ends for other in remaining):
        return None
    after = {}
    for day in range(DAYS + 10):  # who holds each day: the post that began last, if it has not ended
        start = max((start for start in remaining if start <= day), default=None)
        if start is not None and day <= remaining[start][0]:
            after[start] = (day, remaining[start][1])
    return after


def read_known_posts(people):
    posts = {}
    for (number, key), known in roster_store.read_baseline().posts.items():
        if number in people:
            posts[people.index(number), key] = {
                (p.values.valid_from - FIRST).days: (
                    DAYS + 9 if p.values.valid_to == OPEN_END else (p.values.valid_to - FIRST).days,
                    p.values.designated_role,
                )
                for p in known
            }
            assert len(posts[people.index(number), key]) == len(known)
    return posts


def load(rows):
    plan = plan_rows(rows)
    return plan if plan.is_empty else import_rows(rows)


@pytest.mark.slow
@settings(
    max_examples=few_or_many(25, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(files(), min_size=1, max_size=4))
def test_any_files_in_turn_leave_the_posts_that_the_rule_says(database, history):
    people = [f"X{next(numbers)}" for _ in range(2)]
    known, withdrawn = {}, set()
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=False):
        for entries in history:
            rows = [as_row(line, entry, people) for line, entry in enumerate(entries, start=2)]
            after = expected(known, withdrawn, entries)
            if after is None:
                with pytest.raises(BadInputError, match=r"^Line \d+: "):
                    load(rows)
            else:
                load(rows)
                known = after
                withdrawn |= {((e[0], e[1]), e[2]) for e in entries if e[5]}
                again = load(rows)
                assert again.is_empty
                assert again.unchanged_count == len(rows)
            assert read_known_posts(people) == {slot: posts for slot, posts in known.items() if posts}


def typed_row(**values):
    from_file = row(**values)
    return as_row(2, (0, "", 0, None, from_file["designated_role"], False), [from_file["staff_number"]])


def test_a_renamed_unit_is_meant_by_its_old_name_and_by_its_new_one(database):
    old = typed_row()
    load([old])
    with transaction():
        rename_unit("Westshire Police/Team 0", "Westshire Police/Night", on=on(5), at=stamp())
    new = replace(old, unit=("Westshire Police", "Night"))

    with time_machine.travel(datetime(2026, 6, 9, 12, tzinfo=UTC), tick=False):
        assert load([old]).is_empty
        assert load([new]).is_empty
