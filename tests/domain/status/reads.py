"""Compares what pages and files read with the status periods themselves."""

from collections import Counter
from dataclasses import replace
from datetime import date

from portal.domain.directives.models import Directive
from portal.domain.status import paging, queries
from portal.domain.status.changes import find_status_changes
from portal.domain.status.counts import Later, Scope, Whose, count_requirements
from portal.domain.status.paging import Sort
from portal.domain.status.rules import Status
from portal.platform.db import db

EVERYONE = Whose(everyone=True)


def check_reads(history, day, t, periods):
    """Compare every read of (day, t) with ``periods``, rows by person and position."""
    scope = Scope((history.directive,), day, t, EVERYONE)
    people = {person: {} for person, position in periods if position == 0}
    for (person, position), row in periods.items():
        if position:
            people[person][position] = row

    listed_rows = paging.list_people(scope, Sort("status"), 0, 50)
    assert [row.status for row in listed_rows] == sorted(
        row.status for key, row in periods.items() if key[1] == 0
    )
    assert {row.person_id: row.due_on for row in listed_rows} == {
        person: periods[person, 0].due_on for person in people
    }
    check_counts(scope, periods)
    assert queries.load_statuses(scope, list(people)) == {
        (history.directive, person): {position: row.status for position, row in rows.items()}
        for person, rows in people.items()
    }
    streamed_rows = [row for batch in queries.stream_people(scope, 1) for row in batch]
    assert {row.person_id: row.unit_id for row in streamed_rows} == {p: periods[p, 0].unit_id for p in people}
    requirement_rows = {tuple(row[:6]) for row in queries.requirement_reader(scope)(list(people))}
    assert requirement_rows == {
        (person, position, row.status, row.due_on, row.valid_until, row.late_days)
        for person, rows in people.items()
        for position, row in rows.items()
    }
    for person in history.people:
        check_person(history, day, t, person, people.get(person, {}), periods)


def check_counts(scope, periods):
    """Compare people by unit and by requirement; the status counts give no unit of requirements."""
    rows = list(count_requirements(scope))
    by_unit = Counter({(unit, status): n for _, unit, place, status, n in rows if not place})
    assert by_unit == Counter((row.unit_id, row.status) for (_, place), row in periods.items() if not place)
    by_position = Counter[tuple[int, Status]]()
    for _, _, place, status, n in rows:
        by_position[place, status] += n
    assert by_position == Counter((place, row.status) for (_, place), row in periods.items())


def check_person(history, day, t, person, rows, periods):
    reference = db.session.get(Directive, history.directive).reference
    statuses = queries.directive_statuses(person, day, t)
    assert [(one.directive, one.status) for one in statuses if one.directive == reference] == (
        [(reference, periods[person, 0].status)] if rows else []
    )
    requirements = {
        (one.activity_id, one.status, one.due_on)
        for one in queries.requirements_of(person, day, t)
        if one.directive == reference
    }
    assert requirements == {
        (history.activities[position - 1], Status(row.status), date.fromordinal(row.due_on))
        for position, row in rows.items()
    }
    if t == history.stamps[-1]:
        assert queries.requirements_of(person, day) == queries.requirements_of(person, day, t)


def check_differences(history, day, then, now, before, after):
    """Compare whose status on a day differs between two states of knowledge with two reports side by side."""
    scopes = [Scope((history.directive,), day, known_on, EVERYONE) for known_on in (then, now)]
    changes = find_status_changes(*scopes)
    assert changes == find_status_changes(replace(scopes[0], later=Later.MUCH), scopes[1])
    people = {person for person, _ in before | after}
    pairs = {
        person: tuple(getattr(rows.get((person, 0)), "status", None) for rows in (before, after))
        for person in people
    }
    assert changes == {person: pair for person, pair in pairs.items() if pair[0] != pair[1]}
