"""Statements are counted for each thread, and slow ones named without what was asked."""

import pytest
from sqlalchemy import bindparam, select, text

from portal.domain.people.models import PersonName
from portal.platform.db import db, read
from portal.platform.observability import statements


@pytest.fixture
def every_statement_is_slow(monkeypatch):
    monkeypatch.setattr(statements, "_slow_seconds", [0.0])


@pytest.mark.usefixtures("every_statement_is_slow", "database")
def test_a_slow_statement_is_named_by_its_sender_without_values(log):
    count = statements.start_count()

    read(select(PersonName.person_id).where(PersonName.surname == bindparam("surname")), {"surname": "Hale"})

    line = log.lines("statement.slow")[-1]  # after the savepoint of the test's own
    assert count.sent == count.slow == len(log.lines("statement.slow"))
    assert "FROM person_name WHERE person_name.surname = " in line["statement"]
    assert line["milliseconds"] >= 0
    assert "Hale" not in log.text


@pytest.mark.usefixtures("every_statement_is_slow")
def test_its_sender_is_the_function_that_needed_it(client, log):
    client.get("/readyz")

    senders = [line["sender"].split(":")[0] for line in log.lines("statement.slow")]
    assert set(senders) >= {"portal/platform/operations/readiness.py", "portal/platform/jobs/queries.py"}


@pytest.mark.usefixtures("database")
def test_a_statement_that_fails_counts(log):
    count = statements.start_count()

    for question in ("SELECT 1", "SELECT nothing FROM nowhere"):
        try:
            with db.session.begin_nested():
                db.session.execute(text(question))
        except Exception:
            continue

    assert count.sent >= 2
    assert not log.lines("statement.slow")
