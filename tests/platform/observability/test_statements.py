"""Statements are counted for each thread, and slow ones named without what was asked."""

import pytest
from sqlalchemy import bindparam, select, text

from portal.domain.people.models import PersonName, Unit
from portal.domain.people.queries import people_by_staff_number
from portal.platform.audit import log as write_audit_event
from portal.platform.db import db, read, stamp
from portal.platform.observability import statements
from tests.factories.people import make_unit


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
    assert set(senders) >= {"portal/platform/operations/readiness.py", "portal/platform/jobs/services.py"}


@pytest.mark.usefixtures("every_statement_is_slow", "database")
def test_what_the_session_writes_is_never_put_on_who_came_by(log):
    make_unit("North")
    db.session.add(Unit(recorded_at=stamp()))
    people_by_staff_number({"D1"})  # has the session write first
    db.session.add(Unit(recorded_at=stamp()))
    write_audit_event("import.applied", actor_id=None)

    senders = [line["sender"] for line in log.lines("statement.slow") if "INTO unit " in line["statement"]]

    assert len(senders) >= 2
    assert not [sender for sender in senders if "audit" in sender]
    assert any(sender.startswith("before portal/domain/people/queries.py") for sender in senders)


@pytest.mark.usefixtures("every_statement_is_slow", "database")
def test_a_command_prints_no_statement(app, log):
    done = app.test_cli_runner().invoke(args=["event-types", "list"])

    assert done.exit_code == 0
    assert log.lines("statement.slow") == []


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
