"""Who may import what, and what becomes of the account of somebody who left."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import time_machine

from portal.domain.imports import services
from portal.domain.people.services import revoke_role
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ForbiddenError
from portal.platform.permissions import Role
from tests.domain.imports.desk import activity, administrator, csv_of, row, run_id, upload_and_check
from tests.domain.status.facts import make_record
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_unit
from tests.pages.account.browsing import another, let_in, make_account, sign_in, signed_in


@pytest.fixture(autouse=True)
def _today(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield


def test_a_directive_owner_imports_completions_and_no_roster(client):
    administrator(client, role="directive-owner", number="OWNER")

    assert client.get("/imports/roster/new").status_code == 403
    assert client.get("/imports/completions/new").status_code == 200
    assert "Import a roster" not in client.page("/imports").text


def test_a_roster_of_another_is_not_shown_to_who_may_not_import_one(client, app):
    administrator(client)
    page = upload_and_check(client, csv_of([row()]))
    other = another(app)
    administrator(other, role="directive-owner", number="OWNER")

    for path in ("", "/columns", "/bad-rows.csv"):
        assert other.get(f"/imports/{run_id(page)}{path}").status_code == 404


def test_a_role_that_ends_at_a_unit_imports_nothing(client):
    administrator(client, unit=True)

    assert client.get("/imports/roster/new").status_code == 404
    assert "you need a role for the whole force" in client.page("/imports").text


def test_another_role_s_sight_of_the_force_imports_nothing(client):
    make_grant(administrator(client, unit=True), "auditor")

    assert client.get("/imports/roster/new").status_code == 404
    assert "Import a roster" not in client.page("/imports").text


def test_a_job_imports_nothing_for_who_may_not_any_more(client, monkeypatch):
    monkeypatch.setattr(services, "MOST_ROWS_AT_ONCE", 1)
    person = administrator(client)
    page = upload_and_check(client, csv_of([row("N1"), row("N2")]))
    run = run_id(page)
    with transaction():
        revoke_role(person, Role.ADMINISTRATOR, unit_id=None, by=None, at=clock.now())

    for run_job in (services.run_check, services.run_apply):
        progress = SimpleNamespace(asked_by_id=person, report_progress=lambda *_: None)
        with pytest.raises(ForbiddenError):
            run_job(progress, {"run": run, "expected": ""})


@pytest.mark.slow
def test_who_left_cannot_sign_in_and_keeps_the_record(client, app):
    unit = make_unit("Westshire Police")
    person = make_account("L1", unit=unit)
    version = make_version("protect")
    make_record(person, activity(version), date(2026, 5, 1))
    leaver = another(app)
    let_in(leaver, "L1")
    assert signed_in(leaver)
    administrator(client)
    post = row(
        "L1",
        surname="Shah",
        email="l1@westshire.example",
        unit_path="Westshire Police",
        valid_from="2024-01-01",
    )

    page = upload_and_check(client, csv_of([{**post, "valid_to": "2026-05-31"}]))
    assert "was applied" in client.press(page, "Apply the import").h1

    assert not signed_in(leaver)
    assert "Sign in" in sign_in(leaver, "L1").h1
    assert "Protect" in client.page("/people/L1").text
