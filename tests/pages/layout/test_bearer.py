"""A route for other systems lets in a token that works and has its scope, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.domain import access_tokens
from portal.domain.access_tokens import AccessToken, TokenScope
from portal.domain.accounts.models import SignInFailure
from portal.pages.layout.access import scopes_of
from portal.pages.layout.bearer import accepts_token, current_token
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.errors import ForbiddenError, TooManyError, UnauthorisedError
from tests.factories.access_tokens import bearer, make_token


@accepts_token(TokenScope.READ, TokenScope.WRITE)
def probe() -> str:
    return current_token().name


def ask(app: Flask, headers: dict[str, str], address: str = "192.0.2.7") -> str:
    with app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": address}):
        return str(probe())


def test_the_view_declares_its_scopes():
    assert scopes_of(probe) == {TokenScope.READ, TokenScope.WRITE}


@pytest.mark.parametrize("scope", [TokenScope.READ, TokenScope.WRITE])
def test_a_token_of_its_scopes_is_let_in(app, database, scope):
    assert ask(app, bearer(make_token(scope))) == "power-bi"


def test_a_token_of_another_scope_is_refused_and_noted(app, database):
    with pytest.raises(ForbiddenError, match=r"scope of this token is scim.*needs read or write"):
        ask(app, bearer(make_token(TokenScope.SCIM)))

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "access.refused")).one()
    assert event.actor_id is None
    assert event.detail["token"] == "power-bi"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic QTpi", "Token {0}", "{0}", "Bearer {0} {0}", "Bearer {0}é"]
)
def test_a_header_of_another_form_is_none(app, database, header):
    plain = make_token()
    with pytest.raises(UnauthorisedError) as refused:
        ask(app, {"Authorization": header.format(plain)} if header else {})

    assert refused.value.code == ""


def test_an_ended_token_is_refused_at_the_next_request(app, database):
    plain = make_token()
    ask(app, bearer(plain))
    with transaction():
        token = access_tokens.token_of_name("power-bi")
        assert token
        access_tokens.revoke_token(token, by=None, at=clock.now())

    with pytest.raises(UnauthorisedError) as refused:
        ask(app, bearer(plain))
    assert refused.value.code == "invalid_token"


def test_its_use_is_noted_once_a_minute(app, database, time_machine):
    plain = make_token()
    time_machine.move_to(datetime(2026, 5, 21, 11, tzinfo=UTC), tick=False)
    noted = select(AccessToken.last_used_at, AccessToken.last_address)
    ask(app, bearer(plain), "192.0.2.1")
    first = clock.now()
    time_machine.shift(timedelta(seconds=59))
    ask(app, bearer(plain), "192.0.2.2")
    assert db.session.execute(noted).one() == (first, "192.0.2.1")
    time_machine.shift(timedelta(seconds=1))
    ask(app, bearer(plain), "192.0.2.2")
    assert db.session.execute(noted).one() == (clock.now(), "192.0.2.2")


def test_wrong_tokens_of_one_address_wait_and_nobody_elses(app, database):
    plain = make_token()
    for _ in range(5):
        with pytest.raises(UnauthorisedError):
            ask(app, bearer("oicp_wrong"))
    with pytest.raises(TooManyError) as refused:
        ask(app, bearer("oicp_wrong"))

    assert 0 < refused.value.retry_after_seconds <= 60
    assert db.session.scalar(select(func.count()).select_from(SignInFailure)) == 5
    assert ask(app, bearer(plain)) == "power-bi"  # the right one never waits
    with pytest.raises(UnauthorisedError):
        ask(app, bearer("oicp_wrong"), "192.0.2.8")
