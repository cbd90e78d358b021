"""Old rows of signing in are removed by a worker: a few at a time, found by an index, nothing that counts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import Engine, event, func, insert, select, text

from portal.domain.accounts import retention, services
from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.models import HeldForm, KnownBrowser, PasswordLink, SignInFailure, SignInSession
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.factories.jobs import maintain_jobs
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account, open_form, send_form, sign_in, signed_in

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INDEXES = {
    "ix_sign_in_session_created_at",
    "ix_password_link_expires_at",
    "ix_held_form_expires_at",
    "ix_sign_in_failure_failed_at",
    "ix_known_browser_used_at",
    "ix_pending_sign_in_expires_at",
    "ix_spent_challenge_expires_at",
}
LASTS = timedelta(hours=12)


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def leave_a_row_of_each(client: PortalClient, person: int) -> None:
    """A session with a form kept over its lapse, an unused link, a refused sign-in."""
    sign_in(client, path="/sign-in?next=/account")
    sign_in(PortalClient(client.application), password="not the one")
    with transaction():
        services.create_password_link(person, by=None, at=clock.now())
        accounts_sign_in.hold_form(person, "/account/password", "a=b", clock.now())


def test_what_ran_out_is_gone_within_a_minute(frozen: time_machine.Traveller, client: PortalClient) -> None:
    leave_a_row_of_each(client, make_account())
    make_account("D1002")
    tables = (SignInSession, PasswordLink, HeldForm, SignInFailure, KnownBrowser)
    assert [count(table) for table in tables] == [1, 1, 1, 1, 1]

    frozen.shift(timedelta(days=8))
    client.delete_cookie("portal")
    sign_in(client, "D1002", path="/sign-in?next=/account")
    maintain_jobs(client.application)

    assert [count(table) for table in tables] == [1, 0, 0, 0, 2]  # the one session is the new one
    assert signed_in(client)


def test_what_still_counts_stays(frozen: time_machine.Traveller, client: PortalClient) -> None:
    leave_a_row_of_each(client, make_account())
    make_account("D1002")

    frozen.shift(timedelta(minutes=59))
    client.delete_cookie("portal")
    sign_in(client, "D1002", path="/sign-in?next=/account")
    maintain_jobs(client.application)

    assert [count(t) for t in (SignInSession, PasswordLink, HeldForm, SignInFailure, KnownBrowser)] == [
        2,
        1,
        1,
        1,
        2,
    ]


def test_a_form_from_a_page_left_open_over_a_long_weekend_is_kept(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    page = open_form(client)
    frozen.shift(timedelta(days=5))
    make_account("D1002")
    sign_in(PortalClient(client.application), "D1002")

    asked = send_form(client, page)

    assert "What you sent is kept for 60 minutes" in asked.text


def leave_failures(number: int) -> None:
    old = START - timedelta(days=30)
    rows = [{"account_hash": "a", "address": "192.0.2.1", "failed_at": old}] * number
    db.session.execute(insert(SignInFailure), rows)
    db.session.commit()


def test_one_transaction_removes_only_so_many(frozen: time_machine.Traveller, client: PortalClient) -> None:
    leave_failures(retention.MOST_DELETED * 2 + 50)

    remaining = []
    for _ in range(3):
        with transaction():
            retention.delete_expired_rows(LASTS, clock.now())
        remaining.append(count(SignInFailure))

    assert remaining == [retention.MOST_DELETED + 50, 50, 0]


def test_a_worker_removes_all_of_them(frozen: time_machine.Traveller, client: PortalClient) -> None:
    leave_failures(retention.MOST_DELETED * 2 + 50)

    maintain_jobs(client.application)

    assert count(SignInFailure) == 0


def test_each_removal_finds_its_rows_by_an_index(client: PortalClient) -> None:
    deletions: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("DELETE"):
            deletions.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with transaction():
            retention.delete_expired_rows(LASTS, clock.now())
            retention.delete_old_factor_rows(clock.now())
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert len(deletions) == 7
    connection = db.session.connection()
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # the tables are empty: no plan would pay
    for statement, parameters in deletions:
        plan = connection.exec_driver_sql(
            ("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement,
            parameters,  # type: ignore[arg-type]
        ).all()
        plan_text = " ".join(str(row) for row in plan)
        assert any(index in plan_text for index in INDEXES), plan_text
