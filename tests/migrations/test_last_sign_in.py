"""The last sign-ins of an earlier release are found in its audit trail and its sessions."""

from datetime import UTC, datetime, timedelta

from flask_migrate import upgrade
from sqlalchemy import JSON, DateTime, column, insert, select, table

from config import Config
from portal.domain.accounts.models import LastSignIn
from portal.platform.db import db
from tests.conftest import SECRET
from tests.databases import portal_on

DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INSTANT = DateTime(timezone=True)
PERSON = table("person", column("id"), column("recorded_at", INSTANT))
EVENT = table(
    "audit_event",
    column("happened_at", INSTANT),
    column("action"),
    column("subject_id"),
    column("detail", JSON()),
)
SESSION = table(
    "sign_in_session",
    *(column(name) for name in ("token_hash", "reference", "person_id", "csrf_secret", "browser", "address")),
    *(column(name, INSTANT) for name in ("created_at", "seen_at")),
    column("method"),
)


def event_of(
    person: int, at: datetime, action: str = "account.signed_in", **detail: str
) -> dict[str, object]:
    return {"happened_at": at, "action": action, "subject_id": person, "detail": detail}


def session_of(person: int, at: datetime, browser: str) -> dict[str, object]:
    name = f"{person} {at}"
    names = {"token_hash": name, "reference": name, "csrf_secret": name}
    where = {"browser": browser, "address": "192.0.2.1", "method": "oidc"}
    return {**names, "person_id": person, "created_at": at, "seen_at": at, **where}


def test_each_person_has_the_last_sign_in_and_its_browser_where_it_is_left(tmp_path) -> None:
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as app, app.app_context():
        upgrade(revision="0027")
        with db.engine.begin() as connection:
            people = [{"id": number, "recorded_at": DAY} for number in range(1, 6)]
            connection.execute(insert(PERSON), people)
            events = [
                event_of(1, DAY, method="password"),
                event_of(1, DAY + timedelta(days=3, milliseconds=5), method="oidc"),
                event_of(2, DAY),
                event_of(3, DAY, "account.refused"),
                event_of(5, DAY, method="password"),
            ]
            connection.execute(insert(EVENT), events)
            later = DAY + timedelta(days=3)
            sessions = [
                session_of(1, DAY, "Chrome on Windows"),
                session_of(1, later, "Edge on Windows"),
                session_of(1, later + timedelta(minutes=30), "Firefox on Linux"),  # after a new password
                session_of(4, later, "Safari on iPhone"),
                session_of(5, DAY + timedelta(hours=1), "Safari on Mac"),
            ]
            connection.execute(insert(SESSION), sessions)

        upgrade()

        rows = {row.person_id: row for row in db.session.scalars(select(LastSignIn))}
        assert set(rows) == {1, 2, 4, 5}
        assert rows[1].signed_in_at == DAY + timedelta(days=3, milliseconds=5)
        assert (rows[1].method, rows[1].browser, rows[1].address) == ("oidc", "Edge on Windows", "192.0.2.1")
        assert (rows[2].method, rows[2].browser, rows[2].address) == ("password", "", "")
        assert (rows[4].signed_in_at, rows[4].method) == (later, "oidc")
        assert (rows[5].signed_in_at, rows[5].browser) == (DAY, "")
