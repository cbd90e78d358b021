"""What pages and files are told by the read model, held against the spans themselves."""

from collections import Counter
from datetime import date

from portal.domain.directives.models import Directive
from portal.domain.status import paging, queries
from portal.domain.status.counting import Question, count_source
from portal.domain.status.paging import Sort
from portal.domain.status.queries import Scope, Whose
from portal.domain.status.rules import Status
from portal.platform.db import db

EVERYONE = Whose(everyone=True)


def check_reads(history, day, t, spans):
    """Every read of (day, t) says what ``spans``, rows by person and position, say."""
    scope = Scope(history.directive, day, t, EVERYONE)
    people = {person: {} for person, position in spans if position == 0}
    for (person, position), row in spans.items():
        if position:
            people[person][position] = row

    told = paging.people(scope, Sort("status"), 0, 50)
    assert [row.status for row in told] == sorted(row.status for key, row in spans.items() if key[1] == 0)
    assert {row.person_id: row.due_on for row in told} == {
        person: spans[person, 0].due_on for person in people
    }
    check_counts(scope, spans)
    assert queries.statuses(scope, list(people)) == {
        person: {position: row.status for position, row in rows.items()} for person, rows in people.items()
    }
    held = [row for some in queries.audience(scope, 1) for row in some]
    assert {row.person_id: row.unit_id for row in held} == {p: spans[p, 0].unit_id for p in people}
    written = {tuple(row[:6]) for row in queries.requirements(scope)(list(people))}
    assert written == {
        (person, position, row.status, row.due_on, row.valid_until, row.late_days)
        for person, rows in people.items()
        for position, row in rows.items()
    }
    for person in history.people:
        check_person(history, day, t, person, people.get(person, {}), spans)


def check_counts(scope, spans):
    """People by unit, and by requirement and status, whose units are not told apart where sums are kept."""
    rows = list(count_source(scope, Question.REQUIREMENTS).count_requirements())
    of_units = Counter({(unit, status): n for unit, place, status, n in rows if not place})
    assert of_units == Counter((row.unit_id, row.status) for (_, place), row in spans.items() if not place)
    of_places = Counter[tuple[int, Status]]()
    for _, place, status, n in rows:
        of_places[place, status] += n
    assert of_places == Counter((place, row.status) for (_, place), row in spans.items())


def check_person(history, day, t, person, rows, spans):
    reference = db.session.get(Directive, history.directive).reference
    wholes = queries.wholes_of(person, day, t)
    assert [(one.directive, one.status) for one in wholes] == (
        [(reference, spans[person, 0].status)] if rows else []
    )
    asked = {(one.activity_id, one.status, one.due_on) for one in queries.asked_of(person, day, t)}
    assert asked == {
        (history.activities[position - 1], Status(row.status), date.fromordinal(row.due_on))
        for position, row in rows.items()
    }
    if t == history.stamps[-1]:
        assert queries.asked_of(person, day) == queries.asked_of(person, day, t)


def check_differences(history, day, then, now, before, after):
    """Who stands otherwise on a day as known ``now`` than ``then``: as two reports side by side show."""
    told = queries.differing(
        Scope(history.directive, day, then, EVERYONE), Scope(history.directive, day, now, EVERYONE)
    )
    people = {person for person, _ in before | after}
    pairs = {
        person: tuple(getattr(some.get((person, 0)), "status", None) for some in (before, after))
        for person in people
    }
    assert told == {person: pair for person, pair in pairs.items() if pair[0] != pair[1]}
