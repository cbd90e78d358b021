"""What the tests of the lists of accounts and of sessions share."""

from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select

from portal.domain.accounts import services
from portal.domain.accounts.models import ProviderIdentity, SignInFailure, SignInSession
from portal.domain.accounts.services import SignInOrigin
from portal.domain.accounts.tokens import account_key
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import make_account, sign_in

ACCOUNTS, SESSIONS = "/people/accounts", "/people/accounts/sessions"
END = f"{SESSIONS}/end"
ISSUER = "https://login.westshire.example"
PROVIDER = {
    "oidc_issuer": ISSUER,
    "oidc_client_id": "portal",
    "oidc_client_secret": "5f0c",
    "oidc_match_claim": "employee_id",
    "oidc_match_field": "staff_number",
}


def signed_in_administrator(client: PortalClient, unit: int | None = None, on: int | None = None) -> int:
    """D9001 with a post in ``unit``, administrator of the force or of ``on``, signed in; returns the id."""
    person = make_account("D9001", unit=unit)
    make_grant(person, "administrator", on)
    sign_in(client, "D9001", path="/sign-in?next=/account")
    return person


def open_session(
    person: int,
    browser: str = "Edge on Windows",
    address: str = "192.0.2.1",
    *,
    method: str = "password",
    at: datetime | None = None,
) -> str:
    """A session of the person; returns the token of its cookie."""
    with transaction():
        token, _ = services.open_session(
            person, SignInOrigin(address, browser), at or clock.now(), method=method
        )
    return token


def browser_with(app: Flask, token: str) -> PortalClient:
    """A browser that has this session's cookie."""
    client = PortalClient(app)
    client.set_cookie("portal", token)
    return client


def bind_identity(person: int, claim: str, issuer: str = ISSUER) -> None:
    """The person signed in with the provider."""
    now = clock.now()
    with transaction():
        db.session.add(
            ProviderIdentity(
                person_id=person,
                issuer=issuer,
                subject=f"subject of {claim}",
                claim_value=claim,
                bound_at=now,
                last_used_at=now,
            )
        )


def fail_sign_in(app: Flask, person: int, times: int, address: str = "203.0.113.9") -> None:
    """Wrong passwords at the person's account, from one address, now."""
    account = account_key(person, "", app.config["PORTAL"].secret_key)
    with transaction():
        for _ in range(times):
            db.session.add(SignInFailure(account_hash=account, address=address, failed_at=clock.now()))


def set_settings(app: Flask, monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Run the portal with these settings."""
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], **values))


def table_rows(page: Page) -> list[list[str]]:
    """The texts of the cells of each row of the page's tables."""
    return [[words(cell) for cell in row] for row in page.all("tr")][1:]


def numbers_in(page: Page) -> set[str]:
    """The staff numbers of the people in the page's table, which their links name."""
    links = [link.get("href") or "" for link in page.all("a")]
    return {link.split("/")[2] for link in links if link.endswith("/account") and link.startswith("/people/")}


def count_events(action: str) -> int:
    """How many audit events of this kind there are."""
    return db.session.scalar(select(func.count()).where(AuditEvent.action == action)) or 0


def count_statements(client: PortalClient, path: str) -> int:
    """How many statements that read a page takes."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        client.page(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(seen)


def boxes(page: Page) -> list[str]:
    """The references of the sessions that the page lets select."""
    return [box.get("value") or "" for box in page.all("input", type="checkbox", name="end")]


def ended_by_subject() -> dict[int, int]:
    """How many sessions the audit trail says were ended, by whose they were; one entry for each person."""
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.session_ended"))
    rows = [event for event in events if "sessions" in event.detail]  # others are of a new password
    by_subject = {event.subject_id or 0: event.detail["sessions"] for event in rows}
    assert len(by_subject) == len(rows), "a person has two entries"
    return by_subject


def make_people(*numbers: str) -> dict[str, int]:
    """People of one unit, whose surnames are their staff numbers."""
    unit = make_unit("Response")
    return {number: make_person(unit, staff_number=number, surname=number) for number in numbers}


def reference_of(person: int) -> str:
    """What names the only session of the person on pages."""
    return db.session.scalars(select(SignInSession.reference).where(SignInSession.person_id == person)).one()
