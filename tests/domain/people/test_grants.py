"""``people grant`` and ``people revoke``: rows from a day, audited, safe to repeat."""

import pytest
from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.domain.people.queries import viewer_of, visibility_of
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.imports.rosters import run
from tests.factories.people import make_person, make_unit


@pytest.fixture
def person(database):
    force = make_unit("Westshire Police")
    return make_person(make_unit("Local Policing", force), staff_number="G1")


def actions():
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_a_grant_gives_sight_of_its_unit_and_is_audited(app, person):
    result = run(app, "people", "grant", "G1", "manager", "--unit", "Westshire Police/Local Policing")

    assert result.exit_code == 0
    assert len(visibility_of(viewer_of(person)).unit_ids) == 1
    event = db.session.scalars(select(AuditEvent)).one()
    assert (event.action, event.actor_id, event.subject_id) == ("role.granted", None, person)
    assert event.detail["role"] == "manager"


def test_granting_twice_is_one_grant(app, person):
    for _ in range(2):
        assert run(app, "people", "grant", "G1", "auditor").exit_code == 0

    assert len(db.session.scalars(select(RoleGrant)).all()) == 1
    assert actions() == ["role.granted"]


def test_a_revoked_grant_gives_nothing_and_stays_on_record(app, person):
    run(app, "people", "grant", "G1", "auditor")
    for _ in range(2):
        assert run(app, "people", "revoke", "G1", "auditor").exit_code == 0

    assert viewer_of(person).roles == frozenset()
    assert db.session.scalars(select(RoleGrant)).one().ended_at is not None
    assert actions() == ["role.granted", "role.revoked"]


def test_revoking_without_the_unit_of_the_grant_is_refused(app, person):
    run(app, "people", "grant", "G1", "manager", "--unit", "Westshire Police")

    result = run(app, "people", "revoke", "G1", "manager")

    assert result.exit_code == 1
    assert "name the unit on which it was granted" in result.stderr
    assert viewer_of(person).roles == {Role.MANAGER}


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["G9", "manager"], 1, "Nobody has the staff number G9."),
        (["G1", "manager", "--unit", "Westshire Police/Crime"], 1, "No unit has the path"),
        (["G1", "auditor", "--unit", ""], 1, "No unit has the path"),
        (["G1", "chief"], 2, "'chief' is not one of"),
    ],
)
@pytest.mark.parametrize("command", ["grant", "revoke"])
def test_what_is_not_there_is_refused(app, person, command, arguments, code, reason):
    result = run(app, "people", command, *arguments)

    assert result.exit_code == code
    assert reason in result.stderr
    assert db.session.scalars(select(RoleGrant)).all() == []
