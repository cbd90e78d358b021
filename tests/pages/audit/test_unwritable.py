"""What cannot be logged is refused: while the trail takes no entry, nothing is changed or handed out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.domain.access_tokens import TokenScope
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.catalogue.folders import write
from tests.domain.imports.rosters import row, write_csv
from tests.factories.access_tokens import bearer, make_token
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in
from tests.pages.audit.desk import force
from tests.pages.learning.asking import ask

__all__ = ["force"]
pytestmark = pytest.mark.slow
ACCOUNT, REPORT = "/people/D1001/account", "/monitoring/directives/OIC-2026"
# Rows that say nothing of an act: a session's last use.
IN_PASSING = {"sign_in_session", "alembic_version"}

REFUSE = {
    "sqlite": "CREATE TRIGGER no_entry BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, ''); END",
    "postgresql": "CREATE TRIGGER no_entry BEFORE INSERT ON audit_event EXECUTE FUNCTION refuse_change()",
}
ALLOW = {"sqlite": "DROP TRIGGER no_entry", "postgresql": "DROP TRIGGER no_entry ON audit_event"}


@contextmanager
def trail_takes_no_entry(app: Flask) -> Iterator[None]:
    """Every insert into the audit trail fails while this lasts."""
    dialect = db.engine.dialect.name
    db.session.execute(text(REFUSE[dialect]))
    db.session.commit()
    before = app.config["PROPAGATE_EXCEPTIONS"]
    app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        yield
    finally:
        app.config["PROPAGATE_EXCEPTIONS"] = before
        db.session.rollback()
        db.session.execute(text(ALLOW[dialect]))
        db.session.commit()


def contents() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but those written in passing."""
    tables = [table for table in db.metadata.sorted_tables if table.name not in IN_PASSING]
    return {table.name: [tuple(one) for one in db.session.execute(table.select())] for table in tables}


def press(path: str, button: str, **fields: str) -> Callable[[PortalClient], Callable[[], int]]:
    """Open a page, then press its button when the trail takes no entry."""

    def prepare(client: PortalClient) -> Callable[[], int]:
        form = client.page(path).form_with(button)
        values = {**form.fields, **fields}
        return lambda: client.post(form.action or path, data=values).status_code

    return prepare


def get(path: str) -> Callable[[PortalClient], Callable[[], int]]:
    return lambda client: lambda: client.get(path).status_code


PAGES = {
    "grant": press(ACCOUNT, "Grant role", role="auditor", unit="", until=""),
    "link": press(ACCOUNT, "Make a link to set a password"),
    "end-sessions": press(ACCOUNT, "End all sessions"),
    "close": press(f"{ACCOUNT}/close", "Close the account"),
    "sign-out": press("/account", "Sign out"),
    "job": press("/jobs", "Start: Check of all assignments"),
    "nudge": press("/people/D1001/nudge/OIC-2026", "Send the reminder"),
    "new-draft": press("/authoring/protect", "Edit"),
    "person": get("/people/D1001"),
    "account": get(ACCOUNT),
    "completions": get(f"{REPORT}/completions.csv"),
    "workbook": get(f"{REPORT}/people.xlsx"),
    "trail": get("/audit"),
    "trail-file": get("/audit/acts.csv"),
    "disclosures": get("/audit/people/D1001"),
}


@pytest.fixture
def reader(app: Flask, force: dict[str, int]) -> PortalClient:
    """The browser of D9001, who may do all of it; a directive asks everybody to pass a module."""
    make_version("protect")
    ask("protect")
    for role in ("directive-owner", "author"):
        make_grant(force["D9001"], role)
    client = another(app)
    let_in(client, "D9001")
    return client


@pytest.mark.parametrize("name", PAGES)
def test_what_cannot_be_logged_is_not_done_on_a_page(app, reader, name):
    act = PAGES[name](reader)
    before = contents()
    with trail_takes_no_entry(app):
        refused = act()
    after = contents()
    done = act()

    assert refused >= 500
    assert {table for table in before if before[table] != after[table]} == set()
    assert done < 400  # it was the trail alone that stood in its way
    assert len(contents()["audit_event"]) > len(after["audit_event"])


SYSTEMS = {
    "people": (TokenScope.READ, "/api/v1/people", "D1001"),
    "completions": (TokenScope.READ, "/api/v1/directives/OIC-2026/completions", "D1001"),
    "person": (TokenScope.READ, "/api/v1/people/D1001", "D1001"),
    "users": (TokenScope.SCIM, "/scim/v2/Users", "D1001"),
    "user": (TokenScope.SCIM, "/scim/v2/Users/person-{D1001}", "D1001"),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_cannot_be_logged_is_not_sent_to_another_system(app, reader, force, name):
    scope, path, number = SYSTEMS[name]
    headers, address = bearer(make_token(scope, name="other")), path.format(**force)
    client = app.test_client()
    with trail_takes_no_entry(app):
        refused = client.get(address, headers=headers)
    done = client.get(address, headers=headers)

    assert refused.status_code >= 500
    assert number not in refused.text
    assert (done.status_code, number in done.text) == (200, True)


COMMANDS = {
    "grant": ["people", "grant", "D1001", "auditor"],
    "invite": ["accounts", "invite", "D1001"],
    "report": ["report", "completions", "--directive", "OIC-2026", "--format", "csv", "--output", "{out}"],
    "roster": ["people", "import", "{roster}"],
    "module": ["modules", "publish", "{modules}"],
    "unit": ["units", "rename", "Force/North", "Force/Norths", "--on", "2026-12-01"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_cannot_be_logged_is_not_done_by_a_command(app, reader, tmp_path, name):
    places = {"out": tmp_path / "out.csv", "roster": write_csv(tmp_path / "roster.csv", [row("R1")])}
    places["modules"] = write(tmp_path / "modules")
    words = [word.format(**places) for word in COMMANDS[name]]
    before = contents()
    with trail_takes_no_entry(app):
        refused = app.test_cli_runner().invoke(args=words)
        written = places["out"].exists()
    after = contents()
    done = app.test_cli_runner().invoke(args=words)

    assert refused.exit_code != 0
    assert not written
    assert {table for table in before if before[table] != after[table]} == set()
    assert done.exit_code == 0, done.output


def test_who_signs_in_while_nothing_can_be_logged_does_not_get_in(app, reader, force):
    with trail_takes_no_entry(app), pytest.raises(AssertionError, match="may not sign in"):
        let_in(another(app), "D1001")

    signed_in = select(AuditEvent.id).where(
        AuditEvent.action == "account.signed_in", AuditEvent.actor_id == force["D1001"]
    )
    assert db.session.scalar(signed_in) is None
