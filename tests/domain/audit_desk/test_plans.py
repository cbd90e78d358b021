"""No list of the audit desk reads more of the trail than it shows: each filter leads an index."""

import pytest
from sqlalchemy import Engine, event, text

from portal.domain.audit_desk import queries
from portal.domain.audit_desk.action_words import ActionGroup
from portal.domain.audit_desk.queries import START, AuditFilters, AuditSight, Place
from portal.domain.people.queries import viewer_of
from portal.platform import clock
from portal.platform.audit import Channel, Outcome
from portal.platform.db import db
from tests.factories.people import make_grant, make_person, make_unit

TODAY = clock.today()
INDEXES = {
    "happened_at": [
        AuditFilters(),
        AuditFilters(from_on=TODAY, to_on=TODAY),
        AuditFilters(channel=Channel.PAGE),
    ],
    "actor_id": [AuditFilters(by_id=1)],
    "subject_id": [AuditFilters(about_id=1)],
    "outcome": [AuditFilters(outcome=Outcome.REFUSED), AuditFilters(outcome=Outcome.FAILED)],
    "channel": [AuditFilters(channel=Channel.COMMAND), AuditFilters(channel=Channel.JOB)],
    "address": [AuditFilters(address="192.0.2.7")],
    "request_id": [AuditFilters(request_id="7f3a9c0d11e2")],
    "action": [
        AuditFilters(group=ActionGroup.CONTENT),
        AuditFilters(group=ActionGroup.LEARNING, from_on=TODAY, to_on=TODAY),
    ],
}
CASES = [(index, filters) for index, several in INDEXES.items() for filters in several]


@pytest.fixture
def sight(database):
    """A reader of the whole trail."""
    person = make_person(make_unit("Force"), staff_number="D6001")
    make_grant(person, "auditor")
    found = AuditSight(viewer_of(person))
    assert found.is_whole
    return found


def plan_of_list(sight: AuditSight, filters: AuditFilters, place: Place) -> str:
    """How the database would read a page of a long list."""
    if db.engine.dialect.name == "postgresql":  # as it does where the table is large
        for setting in ("enable_seqscan", "enable_bitmapscan"):
            db.session.execute(text(f"SET LOCAL {setting} = off"))
    explain = "EXPLAIN " if db.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    plans: list[str] = []

    def note(connection, _cursor, statement, parameters, *_more):
        if "FROM audit_event" in statement and not statement.startswith("EXPLAIN"):
            cursor = connection.connection.cursor()
            cursor.execute(explain + statement, parameters)
            plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        queries.list_events(sight, filters, place, limit=26)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    (plan,) = plans
    return plan


@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize(
    ("index", "filters"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)]
)
def test_a_filter_leads_its_index_and_nothing_is_sorted(sight, index, filters, deep):
    plan = plan_of_list(sight, filters, Place(clock.now(), 3) if deep else START)

    assert f"ix_audit_event_{index}" in plan, plan
    if filters.group is None:  # of a group, the newest of each action are merged and sorted, a page of each
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
    assert "SCAN audit_event\n" not in f"{plan}\n", plan
