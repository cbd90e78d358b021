"""A link by mail from the sign-in page: it reaches its owner, and tells whoever asks nothing."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import services
from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.models import ProviderIdentity, ResetRequest
from portal.domain.people.models import PersonName
from portal.domain.reminders.models import Message, MessageKind
from portal.platform import clock as portal_clock
from portal.platform.db import db, transaction
from portal.platform.jobs.worker import start_due_jobs
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.domain.status.facts import add
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import OTHER, make_account, sign_in, signed_in
from tests.pages.monitoring.counting import statements
from tests.pages.people.inviting import (
    events,
    everything_stored,
    run_jobs,
    sent_to,
    set_email,
    text_of,
    token_of,
)

NIGHT = datetime(2026, 5, 16, 1, 30, tzinfo=UTC)  # a Saturday: nobody waits until Monday for this
HELP = "/sign-in/help"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NIGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(app: Flask, database: None, clock: time_machine.Traveller) -> Iterator[Office]:
    with set_office(app) as opened:
        yield opened


@pytest.fixture
def owner(office: Office) -> int:
    """D1001, who has an account."""
    return make_account("D1001")


def ask(app: Flask, name: str, client: PortalClient | None = None) -> PortalClient:
    """Ask for a link in a new browser."""
    client = client or PortalClient(app)
    page = client.press(client.page(HELP), "Send me a link", name=name)
    assert page.h1 == "Check your email"
    return client


def answer_requests(app: Flask) -> list[str]:
    """What a worker starts by itself and does; the kinds of its jobs."""
    db.session.commit()
    start_due_jobs(portal_clock.now())
    return run_jobs(app)


def resets() -> int:
    return db.session.scalar(select(func.count()).where(Message.kind == MessageKind.RESET)) or 0


@pytest.mark.parametrize("name", ["D1001", "d1001", " D1001 ", "D1001@Westshire.example"])
def test_the_owner_gets_a_link_sets_a_password_and_every_session_ends(
    app: Flask, office: Office, owner: int, name: str
) -> None:
    old = PortalClient(app)
    sign_in(old, "D1001", path="/sign-in?next=/account")
    ask(app, name)
    assert answer_requests(app) == ["reset_requests", "account_links"]
    mail = sent_to(office, "D1001")[0]
    assert mail["Subject"] == "A link to set a new password"
    assert "The link works once, until 02:30 on 17 May 2026." in text_of(mail)
    assert "If it was not you, do nothing. Your password is not changed" in text_of(mail)
    newer = PortalClient(app)
    path = f"/set-password/{token_of(mail)}"
    newer.press(newer.page(path), "Set password", password=OTHER)
    assert not signed_in(old)
    sign_in(newer, "D1001", OTHER, path="/sign-in?next=/account")
    assert signed_in(newer)
    assert newer.get(path).status_code == 404


def test_a_link_lasts_a_day(app: Flask, office: Office, owner: int, clock: time_machine.Traveller) -> None:
    ask(app, "D1001")
    answer_requests(app)
    path = f"/set-password/{token_of(sent_to(office, 'D1001')[0])}"
    clock.shift(timedelta(hours=24, seconds=-1))
    assert PortalClient(app).get(path).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert PortalClient(app).get(path).status_code == 404


def make_everybody(app: Flask) -> dict[str, str]:
    """A name to type for each kind of account."""
    unit = make_unit("Unit")
    numbers = {
        "known": "D1001",
        "closed": "D1002",
        "no-email": "D1003",
        "no-password": "D1004",
        "left": "D1005",
    }
    for number in ("D1001", "D1002", "D1003"):
        make_account(number, unit=unit)
    make_person(unit, staff_number="D1004")
    make_person(staff_number="D1005")
    with transaction():
        services.close_account(db_person("D1002"), by=None, at=portal_clock.now())
        db.session.info.pop("acts")
    set_email(db_person("D1003"), None)
    return {**numbers, "unknown": "D9999", "unknown-email": "nobody@example.org", "hostile": "a'; drop--\tx"}


def db_person(number: str) -> int:
    from_number = select(PersonName.person_id).where(PersonName.staff_number == number)
    return db.session.scalars(from_number).one()


def test_the_answer_is_the_same_for_every_name(app: Flask, office: Office) -> None:
    answers, work = set(), set()
    names = make_everybody(app)
    ask(app, "warm-up")
    for name in names.values():
        client = PortalClient(app)
        page = client.page(HELP)
        fields = {**page.form_with("Send me a link").fields, "name": name}
        with statements() as run:
            answer = client.post(HELP, data=fields)
        shown = client.get(answer.location)
        answers.add((answer.status_code, answer.location, answer.get_data(), len(shown.get_data())))
        answers.add(
            (
                shown.status_code,
                tuple(sorted(dict(answer.headers))),
                len(answer.headers.get("Set-Cookie", "")),
            )
        )
        work.add(re.sub(r"sa_savepoint_\d+", "", "\n".join(run)))
    assert len(answers) == 2
    assert len(work) == 1


def test_only_those_who_may_use_a_password_get_a_mail(app: Flask, office: Office) -> None:
    for name in make_everybody(app).values():
        ask(app, name)
    answer_requests(app)
    assert {address for address, _ in office.taken} == {"d1001@westshire.example", "d1004@westshire.example"}
    reasons = {row.reason for row in db.session.scalars(select(Message)) if row.state == "dropped"}
    assert reasons == {
        "The account is closed.",
        "No email address is known for this person.",
        "This person has left or was erased.",
    }


def test_with_a_provider_administrators_alone_get_a_mail(
    app: Flask, office: Office, owner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    provided = {"oidc_issuer": "https://p.example", "oidc_client_id": "c", "oidc_client_secret": "s" * 32}
    provided |= {"oidc_match_claim": "employee_id", "oidc_match_field": "staff_number"}
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], **provided))
    make_grant(make_account("D9001"), "administrator")
    bound = {"issuer": "https://p.example", "subject": "x", "claim_value": "x"}
    add(ProviderIdentity(person_id=owner, bound_at=NIGHT, last_used_at=NIGHT, **bound))
    for name in ("D1001", "D9001"):
        ask(app, name)
    answer_requests(app)
    assert {address for address, _ in office.taken} == {"d9001@westshire.example"}


def test_one_account_gets_three_mails_an_hour_and_six_a_day(
    app: Flask, office: Office, owner: int, clock: time_machine.Traveller
) -> None:
    sent = []
    for minutes in (0, 1, 1, 1, 60, 1, 1, 60, 24 * 60):
        clock.shift(timedelta(minutes=minutes))
        ask(app, "D1001")
        ask(app, "d1001@westshire.example")
        answer_requests(app)
        sent.append(resets())
    assert sent == [1, 2, 3, 3, 4, 5, 6, 6, 7]


def test_beyond_its_limit_a_network_gets_the_same_answer_and_no_mail(
    app: Flask, office: Office, owner: int, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    monkeypatch.setattr(accounts_sign_in, "MOST_REQUESTS", 3)
    for name in ("X1", "X2", "X3", "D1001"):
        ask(app, name)
    answer_requests(app)
    assert office.taken == []
    assert db.session.scalar(select(func.count()).select_from(ResetRequest)) == 3
    clock.shift(timedelta(hours=1, seconds=1))
    ask(app, "D1001")
    assert db.session.scalar(select(func.count()).select_from(ResetRequest)) == 1
    answer_requests(app)
    assert len(office.taken) == 1


def test_what_is_asked_while_the_relay_is_down_is_sent_later(
    app: Flask, office: Office, owner: int, clock: time_machine.Traveller
) -> None:
    with set_office(app, smtp_port=1):
        ask(app, "D1001")
        answer_requests(app)
    clock.shift(timedelta(hours=1))
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert len(sent_to(office, "D1001")) == 1
    assert "until 03:30 on 17 May 2026" in text_of(sent_to(office, "D1001")[0])


def test_a_request_that_nobody_waits_for_any_more_is_dropped(
    app: Flask, office: Office, owner: int, clock: time_machine.Traveller
) -> None:
    with set_office(app, smtp_port=1):
        ask(app, "D1001")
        answer_requests(app)
    clock.shift(timedelta(hours=24, minutes=1))
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert office.taken == []
    assert db.session.scalars(select(Message.reason)).one() == "Asked for too long ago."


def test_neither_what_was_typed_nor_the_link_is_stored(app: Flask, office: Office, owner: int) -> None:
    ask(app, "correct horse typed by mistake")
    ask(app, "D1001")
    answer_requests(app)
    kept = everything_stored()
    assert "typed by mistake" not in kept
    assert token_of(sent_to(office, "D1001")[0]) not in kept
    assert [event.subject_id for event in events("account.reset_requested")] == [owner]
    assert [event.detail for event in events("account.link_sent")] == [{"purpose": "reset"}]


@pytest.mark.parametrize(
    "name", ["D1001\r\nBcc: all@example.org", "D1001\nX", "d1001@westshire.example\r\nTo: a@b.example"]
)
def test_line_ends_go_into_no_header(app: Flask, office: Office, owner: int, name: str) -> None:
    client = PortalClient(app)
    fields = client.page(HELP).form_with("Send me a link").fields
    assert client.post(HELP, data={**fields, "name": name}).status_code in {303, 400}
    answer_requests(app)
    assert {address for address, _ in office.taken} <= {"d1001@westshire.example"}
    assert all(mail["Bcc"] is None for _, mail in office.taken)


def test_nothing_typed_is_said_in_a_sentence(app: Flask, office: Office) -> None:
    client = PortalClient(app)
    page = client.press(client.page(HELP), "Send me a link", name="")
    assert "Enter your staff number or email address" in page.text
    assert page.title.startswith("Error: ")


def test_without_a_relay_the_page_says_whom_to_ask_and_takes_no_request(app: Flask, database: None) -> None:
    client = PortalClient(app)
    page = client.page(HELP)
    assert "Ask the learning and development team of your force" in page.text
    assert [list(form.buttons) for form in page.forms()] == []
    token = client.page("/sign-in").form_with("Sign in").fields["csrf_token"]
    answer = client.post(HELP, data={"csrf_token": token, "name": "D1001"})
    assert (answer.status_code, answer.location) == (303, HELP)
    assert db.session.scalar(select(func.count()).select_from(ResetRequest)) == 0
