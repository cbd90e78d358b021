"""PostgreSQL plans the statements of every page once for each connection, and keeps no report's plan."""

import pytest
from flask import Flask
from sqlalchemy import bindparam, func, insert, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.domain.people.models import Person
from portal.domain.people.services import list_names_of
from portal.platform.db import db, read, transaction
from tests.factories.people import make_person


@pytest.fixture
def on_postgresql(serving: Flask) -> Flask:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite plans a statement in some microseconds")
    return serving


def kept_statements() -> list[str]:
    """The statements whose plans the server keeps, for the one connection that this thread uses."""
    return list(db.session.scalars(text("SELECT statement FROM pg_prepared_statements")))


def find_ids(person_id: int) -> list[tuple[int, ...]]:
    statement = select(Person.id).where(Person.id == bindparam("person_id"))
    return [tuple(row) for row in read(statement, {"person_id": person_id})]


def write_and_fail() -> None:
    db.session.execute(insert(Person).values(recorded_at=func.now()))
    raise RuntimeError


def test_a_plan_is_kept_from_one_request_to_the_next(on_postgresql):
    with transaction():
        person = make_person()
    db.session.remove()

    for _ in range(3):  # each ends as a request does
        assert find_ids(person) == [(person,)]
        db.session.remove()

    assert [each for each in kept_statements() if "FROM person" in each]


def test_a_plan_outlives_a_change(on_postgresql):
    with transaction():
        person = make_person()
    find_ids(person)
    db.session.remove()
    with transaction():
        make_person()

    assert [each for each in kept_statements() if "FROM person" in each]


def test_after_a_connection_was_lost_the_next_one_answers(on_postgresql):
    with transaction():
        person = make_person()
    with pytest.raises(OperationalError):
        db.session.scalar(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    db.session.rollback()

    assert find_ids(person) == [(person,)]


def test_a_statement_is_answered_after_a_change_that_was_undone(on_postgresql):
    with transaction():
        person = make_person()
    find_ids(person)

    with pytest.raises(RuntimeError), transaction():
        write_and_fail()

    assert find_ids(person) == [(person,)]
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


def test_no_plan_is_kept_of_other_statements(on_postgresql):
    with transaction():
        person = make_person()
    kept = kept_statements()
    for _ in range(8):
        list_names_of([person])

    assert kept_statements() == kept


def test_what_is_written_outside_a_transaction_is_not_kept(on_postgresql):
    db.session.execute(insert(Person).values(recorded_at=func.now()))
    db.session.remove()
    db.session.connection().exec_driver_sql("  INSERT INTO person (recorded_at) VALUES (now())")
    db.session.remove()

    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_a_reading_transaction_that_failed_leaves_the_connection_as_it_was(on_postgresql):
    with pytest.raises(ProgrammingError):
        db.session.execute(text("SELECT nothing FROM nowhere"))
    db.session.remove()

    assert db.session.scalar(select(1)) == 1
