"""What the doctor says stands between an installed portal and an officer who can learn."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.domain.directives.first_steps import examine_first_steps
from portal.platform import clock
from portal.platform.operations.doctor import State
from portal.platform.permissions import Role
from tests.domain.status.facts import make_activity, make_directive, make_version
from tests.factories import catalogue
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import make_account


def states():
    """Of each step how it stands, and the sentences of those that are left."""
    findings = examine_first_steps()
    left = {finding.subject: finding.sentence for finding in findings if finding.state != State.RIGHT}
    return {finding.subject: str(finding.state) for finding in findings}, left


@pytest.mark.usefixtures("database")
def test_each_step_is_missed_until_it_is_taken():
    before, left = states()

    assert before == dict.fromkeys(
        ("roster", "content", "administrator", "learners", "directives"), "PROBLEM"
    )
    assert "people import FILE" in left["roster"]
    assert "content publish --author STAFF_NUMBER --publisher STAFF_NUMBER" in left["content"]
    assert "people grant STAFF_NUMBER administrator" in left["administrator"]

    person = make_person(make_unit("North"), staff_number="A1")
    make_grant(person, Role.ADMINISTRATOR)
    catalogue.make_version()
    roster, left = states()

    assert (roster["roster"], roster["content"], roster["administrator"]) == ("OK", "OK", "PROBLEM")
    assert "accounts invite STAFF_NUMBER" in left["administrator"]
    assert "/people/invitations" in left["learners"]
    assert "issue one at /directives" in left["directives"]


@pytest.mark.usefixtures("database")
def test_who_signs_in_counts_and_a_directive_to_come_is_no_problem():
    make_grant(make_account("A1"), Role.ADMINISTRATOR)
    make_version(make_directive(), {1: make_activity()}, effective_on=clock.today() + timedelta(days=3))
    found, left = states()

    assert (found["administrator"], found["learners"], found["directives"]) == ("OK", "PROBLEM", "NOTE")
    assert "None is in force before " in left["directives"]

    make_account("L1")
    make_version(make_directive(), {1: make_activity()})
    found, _ = states()

    assert (found["learners"], found["directives"]) == ("OK", "OK")


def test_a_provider_signs_people_in_without_an_invitation(app, database, monkeypatch):
    config = replace(app.config["PORTAL"])
    object.__setattr__(config, "oidc_issuer", "https://sign-in.west.example")
    monkeypatch.setitem(app.config, "PORTAL", config)
    make_grant(make_person(make_unit("North"), staff_number="A1"), Role.ADMINISTRATOR)

    found, _ = states()

    assert (found["administrator"], found["learners"]) == ("NOTE", "NOTE")
