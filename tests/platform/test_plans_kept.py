"""PostgreSQL plans the statements of every page once for each connection, and keeps no report's plan."""

import pytest
from flask import Flask
from sqlalchemy import bindparam, func, insert, select, text
from sqlalchemy.exc import ProgrammingError

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


def ask_for_name(person_id: int) -> list[tuple[int, ...]]:
    statement = select(Person.id).where(Person.id == bindparam("person_id"))
    return [tuple(row) for row in read(statement, {"person_id": person_id})]


def make_person_and_fail() -> None:
    make_person()
    raise RuntimeError


def test_a_plan_is_kept_from_one_request_to_the_next(on_postgresql):
    with transaction():
        person = make_person()
    db.session.remove()

    for _ in range(3):  # each ends as a request does
        assert ask_for_name(person) == [(person,)]
        db.session.remove()

    assert [each for each in kept_statements() if "FROM person" in each]


def test_a_plan_outlives_a_change_but_not_one_that_is_undone(on_postgresql):
    with transaction():
        person = make_person()
    ask_for_name(person)
    db.session.remove()
    with transaction():
        make_person()
    assert [each for each in kept_statements() if "FROM person" in each]

    with pytest.raises(RuntimeError), transaction():
        make_person_and_fail()

    assert ask_for_name(person) == [(person,)]  # planned anew


def test_no_plan_is_kept_of_other_statements(on_postgresql):
    with transaction():
        person = make_person()
    for _ in range(8):
        list_names_of([person])

    assert kept_statements() == []


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
