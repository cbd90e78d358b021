"""The commands about accounts: links, and second factors that were lost."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.domain.accounts import factors
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.accounts.factors.making import add_codes
from tests.domain.imports.rosters import run
from tests.pages.account.browsing import make_account


@pytest.mark.usefixtures("database")
def test_a_lost_second_factor_is_reset_and_audited(app: Flask) -> None:
    person = make_account("D9001")
    add_codes(person)

    done = run(app, "accounts", "reset-factors", "D9001")

    assert done.exit_code == 0
    assert "accounts invite D9001" in done.stdout
    assert not factors.has_factors(person)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.factors_reset")).one()
    assert (event.actor_id, event.subject_id) == (None, person)


@pytest.mark.usefixtures("database")
def test_who_has_none_or_is_nobody_is_refused_in_a_sentence(app: Flask) -> None:
    make_account("D9001")
    for number, reason in (("D9001", "has no second factor"), ("Z1", "Z1")):
        done = run(app, "accounts", "reset-factors", number)
        assert done.exit_code == 1
        assert reason in done.output
