"""All accounts at one place: counts, filters, the list and its file."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from portal.domain.accounts import services
from portal.domain.accounts.models import LastSignIn, PasswordLink, SignInFailure
from portal.domain.accounts.tokens import account_key
from portal.domain.people.models import PersonName
from portal.pages.people import account_views
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import OTHER, PASSWORD, another, let_in, make_account, sign_in
from tests.pages.people.signing_in import (
    ACCOUNTS,
    PROVIDER,
    bind_identity,
    count_events,
    count_statements,
    fail_sign_in,
    numbers_in,
    open_session,
    set_settings,
    signed_in_administrator,
    table_rows,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def counts_of(page: Page) -> dict[str, int]:
    """The numbers above the list."""
    heads = [head.text for head in page.all("dt")]
    return dict(zip(map(str, heads), [int(value[0].text or "") for value in page.all("dd")], strict=True))


@pytest.fixture
def people(app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """An administrator, and people in every state; the force has a provider."""
    set_settings(app, monkeypatch, local_sign_in="everyone", **PROVIDER)
    unit = make_unit("Response")
    made = {number: make_person(unit, staff_number=number, surname=number) for number in ("N1", "I1", "L1")}
    made["P1"], made["C1"] = make_account("P1", unit=unit), make_account("C1", unit=unit)
    made["O1"] = make_person(unit, staff_number="O1", surname="Oakes")
    bind_identity(made["O1"], "4711")
    open_session(made["O1"], "Safari on iPhone", "198.51.100.7", method="oidc")
    with transaction():
        services.create_password_link(made["I1"], by=None, at=clock.now())
        services.close_account(made["C1"], by=None, at=clock.now())
    fail_sign_in(app, made["L1"], 6)
    make_person(unit, staff_number="GONE", until=date(2025, 1, 1))
    signed_in_administrator(client)
    return made


@pytest.mark.slow
def test_each_count_leads_to_a_list_of_as_many(client: PortalClient, people: dict[str, int]) -> None:
    page = client.page(ACCOUNTS)

    assert page.h1 == "Accounts of 7 people"
    assert counts_of(page) == {
        "Can use single sign-on": 1,
        "Can use a passkey": 0,
        "Can use a password": 3,
        "Nothing to sign in with yet": 3,
        "Never signed in": 4,
        "Invited, not signed in yet": 1,
        "Locked after failed sign-ins": 1,
        "Closed": 1,
    }
    for value in page.all("dd"):
        link = value[0]
        listed = client.page(link.get("href") or "")
        assert len(table_rows(listed)) == int(link.text or ""), link.get("href")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("state=never", {"N1", "I1", "L1", "P1"}),
        ("state=invited", {"I1"}),
        ("state=locked", {"L1"}),
        ("state=closed", {"C1"}),
        ("way=provider", {"O1"}),
        ("way=password", {"P1", "C1", "D9001"}),
        ("way=none", {"N1", "I1", "L1"}),
        ("role=administrator", {"D9001"}),
        ("unit=response", {"N1", "I1", "L1", "P1", "C1", "O1"}),
        ("unit=response&state=never&way=password", {"P1"}),
        ("q=oakes", {"O1"}),
        ("q=gone", set()),
        ("before=1+January+2100", {"O1", "D9001"}),
        ("before=2020-01-01", set()),
    ],
)
def test_filters_narrow_the_list(
    client: PortalClient, people: dict[str, int], query: str, numbers: set[str]
) -> None:
    assert numbers_in(client.page(f"{ACCOUNTS}?{query}")) == numbers


def test_a_row_says_unit_ways_last_sign_in_and_state(
    app: Flask, client: PortalClient, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(app, monkeypatch, network_names="198.51.100.0/24=Westshire headquarters")

    (oakes,) = table_rows(client.page(f"{ACCOUNTS}?q=oakes"))

    assert oakes[1] == "Response"
    assert oakes[2].startswith("Single sign-on (4711) since ")
    assert "with single sign-on, Safari on iPhone, Westshire headquarters" in oakes[3]
    assert oakes[4] == "Open"
    states = {row[0][-2:]: row[4] for row in table_rows(client.page(ACCOUNTS))}
    assert states["N1"] == "Cannot sign in yet"
    assert states["P1"] == "Open"
    assert states["I1"].startswith("Invited the link works until ")
    assert states["L1"].startswith("Locked until ")
    assert states["L1"].endswith("where the sign-ins failed")
    assert states["C1"].startswith("Closed at ")


def test_a_password_that_the_portal_would_not_accept_is_no_way(
    app: Flask, client: PortalClient, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(app, monkeypatch, local_sign_in="administrators")

    assert numbers_in(client.page(f"{ACCOUNTS}?way=password")) == {"D9001"}
    (row,) = table_rows(client.page(f"{ACCOUNTS}?q=P1"))
    assert "Password (only administrators can use it)" in row[2]


def test_an_identity_of_an_earlier_provider_is_shown_and_is_no_way(
    client: PortalClient, people: dict[str, int]
) -> None:
    bind_identity(people["N1"], "0815", "https://old.example")

    assert numbers_in(client.page(f"{ACCOUNTS}?way=provider")) == {"O1"}
    (row,) = table_rows(client.page(f"{ACCOUNTS}?q=N1"))
    assert "0815, of a provider that is not set any more" in row[2]


@pytest.mark.slow
def test_sorted_by_name_or_last_sign_in_and_paged(client: PortalClient) -> None:
    unit = make_unit("Response")
    with time_machine.travel(NOW, tick=False):
        for number in range(30):
            person = make_person(unit, staff_number=f"P{number:02}", surname=f"Name {number:02}")
            if number < 28:
                open_session(person, at=NOW + timedelta(minutes=number))
    signed_in_administrator(client)

    first = client.page(f"{ACCOUNTS}?sort=-signed-in&q=name")
    assert "Showing 1 to 25 of 30" in first.text
    assert table_rows(first)[0][0].startswith("Name 27")
    assert len(table_rows(client.page(f"{ACCOUNTS}?sort=-signed-in&page=2"))) == 6
    assert first.links["Last sign-in"] == f"{ACCOUNTS}?q=name&sort=signed-in"
    never_first = table_rows(client.page(f"{ACCOUNTS}?sort=signed-in&q=name"))
    assert [row[3] for row in never_first[:2]] == ["Never", "Never"]
    assert table_rows(client.page(f"{ACCOUNTS}?q=name"))[0][0].startswith("Name 00")


def test_a_day_begins_in_london(client: PortalClient) -> None:
    person = make_person(make_unit("Response"), staff_number="P1")
    open_session(person, at=datetime(2026, 5, 31, 23, 30, tzinfo=UTC))  # 1 June in London
    signed_in_administrator(client)

    assert numbers_in(client.page(f"{ACCOUNTS}?q=P1&before=1+June+2026")) == set()
    assert numbers_in(client.page(f"{ACCOUNTS}?q=P1&before=2+June+2026")) == {"P1"}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("state=gone", "“gone” is not a known state."),
        ("way=pigeon", "“pigeon” is not a known way."),
        ("role=chief", "“chief” is not a known role."),
        ("unit=Roads", "No unit has the path or name “Roads” today."),
        ("before=someday", "Enter a date, like 31 March 2026."),
        ("sort=unit", "“unit” is not a known sort order."),
        ("page=0", "“0” is not a page number."),
    ],
)
def test_what_is_not_known_is_refused_with_a_sentence(
    client: PortalClient, query: str, sentence: str
) -> None:
    signed_in_administrator(client)

    page = client.page(f"{ACCOUNTS}?{query}", 400)

    assert sentence in page.text
    assert page.title.startswith("Error: ")


def test_a_unit_administrator_is_told_of_nobody_else(app: Flask, client: PortalClient) -> None:
    force = make_unit("Force")
    mine, other = make_unit("North", force), make_unit("South", force)
    make_account("N1", unit=mine)
    far = make_account("S1", unit=other)
    fail_sign_in(app, far, 6)
    signed_in_administrator(client, mine, mine)

    page = client.page(ACCOUNTS)

    assert numbers_in(page) == {"N1", "D9001"}
    assert page.h1 == "Accounts of 2 people"
    assert counts_of(page)["Locked after failed sign-ins"] == 0
    assert numbers_in(client.page(f"{ACCOUNTS}?state=locked")) == set()
    assert "No unit has the path or name “south”" in client.page(f"{ACCOUNTS}?unit=south", 400).text
    assert "S1" not in client.get(f"{ACCOUNTS}.csv").get_data(as_text=True)


@pytest.mark.parametrize("role", ["", "manager", "directive-owner", "auditor", "publisher"])
def test_only_administrators_see_it(client: PortalClient, role: str) -> None:
    person = make_account("D2001")
    if role:
        make_grant(person, role)
    sign_in(client, "D2001", path="/sign-in?next=/account")

    for path in (ACCOUNTS, f"{ACCOUNTS}.csv", f"{ACCOUNTS}/sessions", f"{ACCOUNTS}/sessions/end"):
        assert client.get(path).status_code == 403, path


def test_the_file_has_the_rows_of_the_list_and_is_audited(
    client: PortalClient, people: dict[str, int]
) -> None:
    db.session.execute(
        update(PersonName).where(PersonName.staff_number == "O1").values(surname="=1+1", forenames="@x,y")
    )
    db.session.commit()
    page = client.page(f"{ACCOUNTS}?unit=response&sort=-person")
    link = page.links["Download these accounts (CSV, 6 rows)"]

    answer = client.get(link)

    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [row["staff_number"] for row in rows] == [row[0].split()[-1][-2:] for row in table_rows(page)]
    oakes = next(row for row in rows if row["staff_number"] == "O1")
    assert (oakes["surname"], oakes["forenames"]) == ("'=1+1", "'@x,y")
    assert (oakes["provider"], oakes["password"]) == ("4711", "")
    assert (oakes["last_method"], oakes["last_browser"]) == ("oidc", "Safari on iPhone")
    assert oakes["last_sign_in"].endswith("Z")
    by_number = {row["staff_number"]: row for row in rows}
    assert by_number["N1"]["never_signed_in"] == "yes"
    assert by_number["I1"]["invited_until"]
    assert by_number["L1"]["locked_until"]
    assert by_number["C1"]["closed_at"]
    assert (by_number["P1"]["password"], by_number["O1"]["never_signed_in"]) == ("yes", "no")
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "accounts.exported")).one()
    assert event.detail == {"people": 6, "filters": ["unit"]}


@pytest.mark.parametrize("query", ["state=gone", "unit=Roads", "page=2", "before=x", "q=a&q=b"])
def test_a_file_that_is_not_what_was_asked_is_refused(client: PortalClient, query: str) -> None:
    signed_in_administrator(client)

    assert client.get(f"{ACCOUNTS}.csv?{query}").status_code == 400
    assert count_events("accounts.exported") == 0


@pytest.mark.slow
def test_twenty_rows_take_as_many_statements_as_two(app: Flask, client: PortalClient) -> None:
    unit = make_unit("Response")

    def add(numbers: range) -> None:
        for number in numbers:
            person = make_person(unit, staff_number=f"P{number:02}")
            bind_identity(person, f"{number}")
            open_session(person)
            fail_sign_in(app, person, 6)

    signed_in_administrator(client)
    add(range(2))
    few = count_statements(client, ACCOUNTS)

    add(range(2, 20))

    assert count_statements(client, ACCOUNTS) == few <= 11


def test_a_file_of_many_people_needs_a_sign_in_of_the_last_ten_minutes(
    client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in_administrator(client)
    monkeypatch.setattr(account_views, "MANY_PEOPLE", 0)
    assert client.get(f"{ACCOUNTS}.csv").status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        answer = client.get(f"{ACCOUNTS}.csv")

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in/again")


def test_the_last_sign_in_outlives_its_session_and_no_new_password_counts_as_one(
    app: Flask, client: PortalClient
) -> None:
    with time_machine.travel(NOW, tick=False) as moment:
        person = make_account()
        client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Edg/142.0"
        let_in(client)
        moment.shift(timedelta(minutes=10))
        client.press(client.page("/account/password"), "Change password", current=PASSWORD, password=OTHER)
        assert last_of(person) == (NOW, "password", "Edge on Windows", "127.0.0.1")

        moment.shift(timedelta(days=30))
        make_account("D1002")
        let_in(another(app), "D1002")  # which tidies old sessions away
        assert last_of(person)[0] == NOW

        let_in(client, password=OTHER)
        assert last_of(person)[0] == NOW + timedelta(days=30, minutes=10)


def last_of(person: int) -> tuple[datetime, str, str, str]:
    last = db.session.scalars(select(LastSignIn).where(LastSignIn.person_id == person)).one()
    return last.signed_in_at, last.method, last.browser, last.address


def test_a_spent_or_expired_link_invites_nobody(client: PortalClient) -> None:
    person = make_person(make_unit("Response"), staff_number="P1")
    with transaction():
        services.create_password_link(person, by=None, at=clock.now())
    signed_in_administrator(client)
    assert numbers_in(client.page(f"{ACCOUNTS}?state=invited")) == {"P1"}

    with transaction():
        db.session.execute(update(PasswordLink).values(expires_at=clock.now()))

    assert numbers_in(client.page(f"{ACCOUNTS}?state=invited")) == set()


def test_the_list_is_reached_from_people_and_from_the_desk(client: PortalClient) -> None:
    signed_in_administrator(client)

    assert client.page("/people").links["Accounts"] == ACCOUNTS
    assert client.page("/desk").links["Accounts"] == ACCOUNTS


def test_a_lock_is_said_and_lifted_on_the_page_of_the_account(app: Flask, client: PortalClient) -> None:
    person, page = make_account("P1"), "/people/P1/account"
    fail_sign_in(app, person, 6, "127.0.0.1")
    locked_out = another(app)
    assert "Too many tries" in sign_in(locked_out, "P1", status=429).text
    signed_in_administrator(client)

    shown = client.page(page)
    assert "where the sign-ins failed, because too many tries failed" in shown.text
    done = client.press(shown, "Lift the lock")

    assert "The lock is lifted" in done.text
    assert "too many tries" not in done.text
    assert count_events("account.unlocked") == 1
    let_in(locked_out, "P1")
    client.press(shown, "Lift the lock")  # once more changes nothing
    assert count_events("account.unlocked") == 1


def test_a_lock_is_lifted_by_who_administers_the_account_alone(app: Flask, client: PortalClient) -> None:
    force = make_unit("Force")
    mine, other = make_unit("North", force), make_unit("South", force)
    chief, far = make_account("CHIEF", unit=mine), make_account("S1", unit=other)
    make_grant(chief, "auditor")
    for person in (chief, far):
        fail_sign_in(app, person, 6)
    signed_in_administrator(client, mine, mine)

    shown = client.page("/people/CHIEF/account")

    assert "Locked until" in shown.text
    assert "Lift the lock" not in shown.text
    token = shown.form_with("Sign out").fields["csrf_token"]
    assert client.post("/people/CHIEF/account/unlock", data={"csrf_token": token}).status_code == 403
    assert client.post("/people/S1/account/unlock", data={"csrf_token": token}).status_code == 404
    assert count_events("account.unlocked") == 0


def test_tries_at_a_name_that_nobody_has_lock_nobody_here(app: Flask, client: PortalClient) -> None:
    ghost = account_key(None, "ghost", app.config["PORTAL"].secret_key)
    with transaction():
        db.session.add_all(
            SignInFailure(account_hash=ghost, address="203.0.113.9", failed_at=clock.now()) for _ in range(9)
        )
    signed_in_administrator(client)

    assert counts_of(client.page(ACCOUNTS))["Locked after failed sign-ins"] == 0
