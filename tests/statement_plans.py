"""Which tables a statement reads whole, as SQLite plans it: without statistics, the same for every size."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from portal.platform.db import db

# Tables that grow with the people of a force and with what they do.
GROWING = {
    "assignment", "attempt", "audit_event", "case_run", "case_step", "exclusion", "identifier",
    "lesson_visit", "message", "pass_record", "person", "person_name", "post", "provider_identity",
    "recall_review", "record", "registration", "response", "revocation", "role_grant", "sign_in_session",
    "stamp", "status_count", "status_period", "submission",
}  # fmt: skip
READ_WHOLE = re.compile(r"SCAN (\w+?)(?:_\d+)?(?: USING .*)?$")
Sent = list[tuple[str, object]]  # statements with their values


@contextmanager
def noted_statements() -> Iterator[Sent]:
    """The statements that are sent in the block; the test is skipped on PostgreSQL."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps statistics, and reads small tables whole")
    sent: Sent = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def tables_read_whole(sent: Sent) -> dict[str, str]:
    """The growing tables of which a statement reads every row, each with that statement."""
    found = {}
    connection = db.session.connection()
    for statement, values in list(sent):
        if statement.split()[0] in {"SELECT", "UPDATE", "DELETE", "WITH"} and isinstance(values, tuple):
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values):
                whole = READ_WHOLE.match(row.detail)
                if whole and whole[1] in GROWING:
                    found[whole[1]] = statement
    return found
