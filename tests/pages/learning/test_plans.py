"""What an officer does is found by indexes, so that it costs the same in a large force as in a small one."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.page_reading import PortalClient
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner, take

# Tables that grow with the people of a force and with what they do. SQLite, which has no statistics, plans
# the same for every size.
GROWING = {
    "assignment", "attempt", "audit_event", "case_run", "case_step", "exclusion", "lesson_visit", "message",
    "pass_record", "person", "person_name", "post", "recall_review", "record", "registration", "response",
    "revocation", "role_grant", "sign_in_session", "stamp", "status_count", "status_period", "submission",
}  # fmt: skip
READ_WHOLE = re.compile(r"SCAN (\w+?)(?:_\d+)?(?: USING .*)?$")


@pytest.fixture
def run(database: None) -> Iterator[list[tuple[str, object]]]:
    """The statements that are sent, with their values."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps statistics, and reads small tables whole")
    sent: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def tables_read_whole(sent: list[tuple[str, object]]) -> dict[str, str]:
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


def test_nothing_that_an_officer_does_reads_the_rows_of_everyone(
    client: PortalClient, run: list[tuple[str, object]]
) -> None:
    make_version()
    ask("protect")
    learner(client)
    run.clear()

    outcome = take(client, 4)
    certificate = re.search(r"/records/OIC[A-Z0-9-]+", outcome.html)
    assert certificate, outcome.text
    for path in ("/learning", "/learning/modules/protect", "/records", certificate[0]):
        client.page(path)

    assert len(run) > 100
    assert tables_read_whole(run) == {}
