"""A token works from when it is made until it expires or is revoked; its name is nobody else's meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.domain import access_tokens
from portal.domain.access_tokens import AccessToken, TokenScope
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from tests.factories.access_tokens import make_token
from tests.factories.people import make_unit

AT = datetime(2026, 5, 21, 11, tzinfo=UTC)


def revoke(name: str, at: datetime) -> None:
    with transaction():
        token = access_tokens.token_of_name(name)
        assert token
        access_tokens.revoke_token(token, by=None, at=at)


def test_the_database_has_no_token_but_its_hash(database):
    plain = make_token(at=AT)

    row = db.session.scalars(select(AccessToken)).one()
    stored = {str(value) for key, value in vars(row).items() if key != "_sa_instance_state"}
    assert plain.startswith("oicp_")
    assert len(plain) == 48
    assert plain not in " ".join(stored)
    assert row.token_hash == access_tokens.hash_access_token(plain)


def test_it_works_until_the_instant_it_expires(database):
    plain, end = make_token(days=7, at=AT), AT + timedelta(days=7)

    assert access_tokens.find_token(plain, AT)
    assert access_tokens.find_token(plain, end - timedelta(seconds=1))
    assert access_tokens.find_token(plain, end) is None


def test_a_revoked_token_works_no_more(database):
    plain = make_token(at=AT)
    revoke("power-bi", AT + timedelta(hours=1))

    assert access_tokens.find_token(plain, AT + timedelta(hours=1)) is None


@pytest.mark.parametrize("wrong", ["", "x", "oicp_", "oicp_" + "A" * 43, "\x00", "é", "x" * 100_000])
def test_anything_else_is_no_token(database, wrong):
    make_token(at=AT)

    assert access_tokens.find_token(wrong, AT) is None


def test_two_that_work_have_no_name_in_common(database):
    make_token(days=1, at=AT)
    with pytest.raises(RuleError, match="works already"):
        make_token(at=AT)

    make_token(at=AT + timedelta(days=1))  # the first has expired
    revoke("power-bi", AT + timedelta(days=1))
    make_token(at=AT + timedelta(days=1))


@pytest.mark.parametrize(
    ("name", "days"), [("", 1), ("a\nb", 1), ("x" * 61, 1), (" x", 1), ("<b>", 1), ("ok", 0), ("ok", 731)]
)
def test_wrong_names_and_days_are_refused(database, name, days):
    with pytest.raises(RuleError):
        make_token(name=name, days=days)


def test_provisioning_is_of_the_whole_force(database):
    unit = make_unit("Force")
    with pytest.raises(RuleError, match="whole force"):
        make_token(TokenScope.SCIM, unit=unit)
    with pytest.raises(RuleError, match="whole force"):
        make_token(TokenScope.SCIM, directive="OIC-2026")


def test_each_act_is_audited_without_the_token(database):
    plain = make_token(TokenScope.WRITE, directive="OIC-2026", at=AT)
    revoke("power-bi", AT)

    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.action for event in events] == ["token.created", "token.revoked"]
    assert all(event.detail["token"] == "power-bi" for event in events)
    assert events[0].detail["scope"] == "write"
    assert events[0].detail["directive"] == "OIC-2026"
    assert plain not in str([event.detail for event in events])
