"""Query plans: SQLite, which has no statistics, uses the intended index for status periods."""

from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import event

from portal.platform.db import db
from tests.page_reading import PortalClient
from tests.pages.monitoring.world import REPORT, TODAY, World, enter, make_world

BY_FIRST_DAY = "ix_span_first"
WEEK = "from_as_at=2026-05-20&from_as_known_on=2026-05-20"


@pytest.fixture
def world(database: None) -> Iterator[World]:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps statistics, and reads small tables whole")
    made = make_world()
    with time_machine.travel(TODAY, tick=False):
        yield made


def plans(client: PortalClient, path: str) -> list[str]:
    """How SQLite goes about each statement of a page that reads spans."""
    run: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        run.append((statement, values))

    connection = db.session.connection()
    event.listen(connection, "before_cursor_execute", note)
    response = client.get(path)
    event.remove(connection, "before_cursor_execute", note)
    assert response.status_code == 200
    assert response.data
    asked = [(statement, values) for statement, values in run if "status_period" in statement]
    return [
        "\n".join(row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))
        for text, values in asked
    ]


@pytest.mark.parametrize(
    "path", [REPORT, "/monitoring", f"{REPORT}?sort=person", f"{REPORT}/completions.csv"]
)
def test_people_are_found_by_unit_or_by_who_they_are_and_not_by_a_first_day(
    client: PortalClient, world: World, path: str
) -> None:
    enter(client, world, "D6001")
    found = plans(client, path)

    assert found
    assert all(BY_FIRST_DAY not in plan for plan in found)
    assert all("SCAN status_period" not in plan for plan in found)


def test_what_changed_is_found_by_its_days_and_by_when_it_was_learnt(
    client: PortalClient, world: World
) -> None:
    enter(client, world, "D6001")
    [plan, *_] = [plan for plan in plans(client, f"{REPORT}/changes?{WEEK}") if BY_FIRST_DAY in plan]

    assert {"ix_span_last", "ix_span_opened_late", "ix_span_ended_late"} <= set(
        plan.replace("(", " ").split()
    )
