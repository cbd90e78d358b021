"""Status periods are brought up to date in a fact's transaction, in a fixed number of statements."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from portal.domain.directives.models import Exclusion
from portal.domain.people.models import Post
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.domain.status.rules import Status
from portal.platform.clock import to_microseconds
from portal.platform.db import OPEN_END, db, settle, stamp, touch, transaction
from tests.domain.status.facts import (
    make_activity,
    make_directive,
    make_exclusion,
    make_record,
    make_revocation,
    make_version,
)
from tests.factories.people import make_person, make_unit

DAY = date(2026, 5, 10)


def world():
    """A person, and a directive of two modules due on 30 April 2026."""
    unit = make_unit("Force")
    activities = [make_activity(), make_activity()]
    directive = make_directive()
    make_version(directive, {1: activities[0], 2: activities[1]})
    return unit, activities, directive


def status(person, day=DAY, position=0):
    s = StatusPeriod
    query = select(s.status).where(
        s.person_id == person,
        s.position == position,
        s.from_on <= day.toordinal(),
        s.to_on >= day.toordinal(),
        s.known_to == OPEN_KNOWN,
    )
    number = db.session.scalar(query)
    return None if number is None else Status(number)


def rows(person):
    s = StatusPeriod
    columns = [c for c in s.__table__.columns if c.name != "id"]
    return sorted(map(tuple, db.session.execute(select(*columns).where(s.person_id == person))), key=str)


@contextmanager
def statements():
    """The statements run inside the block."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            seen.append(statement)

    connection = db.session.connection()
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(connection, "before_cursor_execute", note)


def test_each_kind_of_fact_is_in_the_spans_when_it_is_committed(database):
    unit, activities, directive = world()
    person = make_person(unit)
    assert status(person) is Status.OVERDUE

    first = make_record(person, activities[0], date(2026, 5, 2))
    assert (status(person, position=1), status(person)) == (Status.SATISFIED, Status.OVERDUE)
    make_record(person, activities[1], date(2026, 5, 3))
    assert status(person) is Status.SATISFIED
    make_revocation(person, first, date(2026, 5, 5))
    assert (status(person, date(2026, 5, 4)), status(person)) == (Status.SATISFIED, Status.OVERDUE)
    make_exclusion(person, directive, date(2026, 5, 9))
    assert status(person) is Status.EXEMPT


def test_projecting_twice_leaves_the_same_rows_as_projecting_once(database):
    unit, _, directive = world()
    person = make_person(unit)

    def excluded(replaces_id, to_on, void=False):
        fact = Exclusion(
            recorded_at=stamp(),
            replaces_id=replaces_id,
            void=void,
            person_id=person,
            directive_id=directive,
            exempt=True,
            reason="other",
            from_on=date(2026, 5, 1),
            to_on=to_on,
        )
        db.session.add(fact)
        touch(people=[person])
        settle()
        return fact.id

    before = rows(person)
    with transaction():
        exemption = excluded(None, OPEN_END)
        assert status(person) is Status.EXEMPT
        excluded(exemption, OPEN_END, void=True)

    assert rows(person) == before
    assert rebuild_status(False) == []


@pytest.mark.slow
def test_twenty_people_cost_as_many_statements_as_two(database):
    counts = count_statements("people")

    assert counts[0] == counts[1] > count_statements("learners")[0] > 0  # whose assignments are not read


def count_statements(kind):
    """For two and for twenty people of whom a fact of this kind was recorded."""
    unit, activities, _ = world()
    people = [make_person(unit) for _ in range(20)]
    for person in people:
        make_record(person, activities[0], date(2026, 5, 2))
    counts = []
    for batch in (people[:2], people):
        with transaction():
            stamp()
            touch(**{kind: batch})
            with statements() as seen:
                settle()
        counts.append(len(seen))
    return counts


def on_days(person, known_at):
    """By position and day, the values of the rows known on an instant; fails where two rows overlap."""
    values = {}
    for row in rows(person):
        if row[5] <= known_at < row[6]:
            for day in range(row[3], min(row[4], FAR) + 1):
                assert (row[2], day) not in values
                values[row[2], day] = row[7:]
    return values


FAR = date(2028, 1, 1).toordinal()


def test_a_later_fact_never_changes_what_was_known(database):
    unit, activities, _ = world()
    person = make_person(unit)
    with transaction():
        then = to_microseconds(stamp() - timedelta(microseconds=1))
    known_then = on_days(person, then)
    make_record(person, activities[0], date(2026, 4, 1))

    assert known_then
    assert on_days(person, then) == known_then
    assert on_days(person, OPEN_KNOWN - 1) != known_then


def test_a_fact_leaves_alone_what_is_known_of_the_days_before_it(database):
    """Only days that the fact is about become known later."""
    unit, activities, _ = world()
    person = make_person(unit)
    with transaction():
        then = to_microseconds(stamp())
    achieved = date(2026, 4, 1)
    make_record(person, activities[0], achieved)

    later = [row for row in rows(person) if row[5] > then]
    ended = [row for row in rows(person) if row[6] != OPEN_KNOWN]
    assert later
    assert all(row[3] >= achieved.toordinal() for row in (*later, *ended))


@pytest.mark.parametrize("what", ["unit_id", "line_manager_id", "rank_or_grade"])
def test_a_move_leaves_alone_what_is_known_of_the_days_before_it(database, what):
    """The fact that ends a post says the same of the days until then, with an id of its own."""
    unit, _, _ = world()
    person = make_person(unit)
    with transaction():
        then = to_microseconds(stamp())
    move = date(2026, 6, 1)
    other = {"unit_id": make_unit("Other"), "line_manager_id": make_person(unit), "rank_or_grade": "Sergeant"}
    with transaction():
        post = db.session.execute(select(Post).where(Post.person_id == person)).scalar_one()
        columns = ("person_id", "post_key", "rank_or_grade", "designated_role", "unit_id", "line_manager_id")
        values = {name: getattr(post, name) for name in columns}
        ended = Post(
            recorded_at=stamp(),
            replaces_id=post.id,
            **values,
            valid_from=post.valid_from,
            valid_to=move - timedelta(days=1),
        )
        begun = Post(recorded_at=stamp(), **{**values, what: other[what]}, valid_from=move)
        db.session.add_all([ended, begun])
        touch(people=[person])

    later = [row for row in rows(person) if row[5] > then]
    assert {row[3] for row in later} == {move.toordinal()}
    assert {row[14] for row in later} == {begun.id}
    assert {row[14] for row in rows(person) if row[3] < move.toordinal()} == {post.id}
    assert rebuild_status(False) == []


def test_people_with_a_live_post_in_the_audience_all_have_a_row(database):
    unit, _, _ = world()
    people = {make_person(unit) for _ in range(3)}
    leaver = make_person(unit, until=date(2026, 5, 9))

    assert {person for person in (*people, leaver) if status(person)} == people
    assert status(leaver, date(2026, 5, 9)) is Status.OVERDUE


def test_a_requirement_that_a_replacing_version_drops_has_no_row(database):
    unit, activities, directive = world()
    person = make_person(unit)
    make_version(directive, {1: activities[0]}, number=2)

    assert status(person, position=1) is Status.OVERDUE
    assert status(person, position=2) is None
    assert rebuild_status(False) == []
