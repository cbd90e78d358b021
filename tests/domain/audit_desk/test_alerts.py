"""Alerts reach administrators by mail, through a real relay, once for each danger and period."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from sqlalchemy import func, select

from portal.platform.audit import ALERTS, AuditEvent, Channel, Origin, log, log_file, originating_from
from portal.platform.db import db, transaction
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.test_notices import address, delivered, words
from tests.factories.people import make_grant, make_unit
from tests.kept import made_once
from tests.pages.account.browsing import another, let_in, make_account, sign_in
from tests.pages.audit.desk import act, sentences

pytestmark = pytest.mark.slow
START = datetime(2026, 5, 16, 1, 30, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as travelling:
        yield travelling


@pytest.fixture
def office(app, database, clock):
    with set_office(app) as opened:
        yield opened


@pytest.fixture
def people(office):
    """Two administrators of the force, one of the north, and D1001 of the south."""
    return make_people()


@made_once
def make_people():
    """People by staff number."""
    top = make_unit("Force")
    north, south = make_unit("North", top), make_unit("South", top)
    ids = {number: make_account(number, unit=unit) for number, unit in (
        ("D9001", top), ("D9002", top), ("D9003", north), ("D1001", south),
    )}  # fmt: skip
    for number, unit in (("D9001", None), ("D9002", None), ("D9003", north)):
        make_grant(ids[number], "administrator", unit)
    return ids


def refuse(person: int, times: int) -> None:
    for _ in range(times):
        act("access.refused", person, endpoint="jobs.list_jobs")


def count_alerts(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEvent.action == action)) or 0


def told(app, office) -> set[str]:
    return set(delivered(app, office))


def one_line(mail) -> str:
    """The words of a mail without its line breaks."""
    return " ".join(words(mail).split())


def opened_link(app, mail) -> list[str]:
    """What the audit desk lists behind the link of a mail, for the administrator who got it."""
    links = [line for line in words(mail).splitlines() if "/audit" in line]
    parts = urlsplit(links[0])
    browser = another(app)
    let_in(browser, "D9002")
    return sentences(browser.page(f"{parts.path}?{parts.query}"))


def test_ten_refusals_of_one_account_within_ten_minutes_are_told_once_an_hour(app, office, people, clock):
    refuse(people["D1001"], 9)
    refuse(people["D9003"], 1)
    assert told(app, office) == set()
    refuse(people["D1001"], 1)
    mails = delivered(app, office)
    clock.shift(timedelta(minutes=59))
    refuse(people["D1001"], 30)
    assert told(app, office) == set()
    clock.shift(timedelta(minutes=2))
    refuse(people["D1001"], 1)

    assert set(mails) == {address("D9001"), address("D9002")}
    mail = mails[address("D9002")][0]
    assert mail["Subject"] == "Many refusals: Priya Shah"
    assert "Priya Shah (D1001) was refused at least 10 times within 10 minutes." in words(mail)
    assert opened_link(app, mail) == ["Was refused a page: jobs.list_jobs"] * 25
    assert told(app, office) == {address("D9001"), address("D9002")}


def test_refusals_of_a_token_are_counted_by_token(app, office, people):
    with originating_from(Origin(Channel.PAGE)):
        for number in range(14):
            act("access.refused", token="HR feed" if number % 2 else f"Other {number}", endpoint="api.people")
        assert told(app, office) == set()
        for _ in range(3):
            act("access.refused", token="HR feed", endpoint="api.people")
    mails = delivered(app, office)

    assert set(mails) == {address("D9001"), address("D9002")}
    mail = mails[address("D9002")][0]
    assert mail["Subject"] == "Many refusals: The access token “HR feed”"
    assert "The access token “HR feed” was refused at least 10 times within 10 minutes." in words(mail)
    assert opened_link(app, mail)[:2] == ["Was refused a page: api.people"] * 2


def test_refusals_over_more_than_ten_minutes_are_no_alert(app, office, people, clock):
    for _ in range(30):
        refuse(people["D1001"], 1)
        clock.shift(timedelta(minutes=1, seconds=7))

    assert count_alerts("alert.many_refusals") == 0


def test_fifty_failed_sign_ins_in_the_force_are_told_once(app, office, people):
    for number in range(51):
        act("account.refused", None, people["D1001"] if number % 2 else None)
    mails = delivered(app, office)

    assert set(mails) == {address("D9001"), address("D9002")}
    assert count_alerts("alert.many_failed_sign_ins") == 1
    mail = mails[address("D9001")][0]
    assert mail["Subject"] == "Many failed sign-ins"
    assert "At least 50 sign-ins failed within 10 minutes, over all accounts." in words(mail)
    assert opened_link(app, mail)[:2] == ["Sign-in failed"] * 2


def test_real_failures_by_the_sign_in_page_are_counted(app, office, people, client, monkeypatch):
    monkeypatch.setattr("portal.domain.audit_desk.services.FAILED_SIGN_INS.__class__.is_alert", _after_three)
    for number in range(3):
        sign_in(another(app), f"X{number}", password="not the one at all")

    assert count_alerts("alert.many_failed_sign_ins") == 1


def _after_three(rule, recent, last_alert, at):
    return len(recent) >= 3 and last_alert is None


def test_a_file_of_more_than_a_thousand_people_is_told_and_one_of_a_thousand_is_not(app, office, people):
    with transaction():
        log_file("completions.exported", range(1, 1_001), actor_id=people["D1001"], directive="OIC-2026")
    assert told(app, office) == set()
    with transaction():
        log_file("completions.exported", range(1, 1_002), actor_id=people["D9001"], directive="OIC-2026")
    mails = delivered(app, office)

    assert set(mails) == {address("D9002")}  # not who did it
    text = words(mails[address("D9002")][0])
    assert "Priya Shah (D9001) downloaded the completions of OIC-2026: 1,001 people." in text
    assert "/audit?since=2026-05-16&until=2026-05-16&group=files&by=D9001" in text


def test_a_list_of_more_than_a_thousand_accounts_is_told(app, office, people):
    with transaction():
        log_file("accounts.exported", range(1, 1_002), actor_id=people["D9001"], filters=[])
    mails = delivered(app, office)

    assert set(mails) == {address("D9002")}
    mail = mails[address("D9002")][0]
    assert mail["Subject"] == "List of 1,001 people downloaded"
    assert "Priya Shah (D9001) downloaded the list of accounts: 1,001 people." in words(mail)
    assert opened_link(app, mail) == ["Downloaded the list of accounts, 1,001 people"]


def test_a_token_that_was_made_is_told_by_whom_and_by_its_name(app, office, people):
    act("token.created", people["D9001"], token="Power BI\r\nBcc: x@y.example", scope="read")
    mails = delivered(app, office)

    assert set(mails) == {address("D9002")}
    mail = mails[address("D9002")][0]
    assert mail["Subject"] == "Access token made: Power BI Bcc: x@y.example"
    assert mail["Bcc"] is None
    assert "Priya Shah (D9001) made the access token Power BI Bcc: x@y.example for" in one_line(mail)
    assert opened_link(app, mail) == ["Made the access token Power BI Bcc: x@y.example, for read"]


def test_a_new_administrator_and_a_reset_factor_say_so_and_lead_to_the_trail(app, office, people):
    with transaction():
        log(
            "role.granted",
            actor_id=people["D9001"],
            subject_id=people["D1001"],
            role="administrator",
            unit_id=None,
        )
    granted = delivered(app, office)
    act("account.factors_reset", people["D9001"], people["D1001"])
    reset = delivered(app, office)

    assert set(granted) == set(reset) == {address("D9002"), address("D1001")}
    mail = granted[address("D9002")][0]
    assert mail["Subject"] == "New administrator: Priya Shah"
    assert opened_link(app, mail)[-1] == "Set a password"
    assert reset[address("D9002")][0]["Subject"] == "Second factor reset: Priya Shah"
    assert reset[address("D1001")][0]["Subject"] == "Your second factor was reset"


def test_an_alert_of_a_transaction_that_is_undone_is_told_to_nobody(app, office, people):
    refuse(people["D1001"], 9)
    with suppress(ZeroDivisionError), transaction():
        log("access.refused", actor_id=people["D1001"], endpoint="x")
        1 / 0  # noqa: B018 - undoes the transaction

    assert count_alerts("alert.many_refusals") == 0
    assert told(app, office) == set()


def test_every_alert_is_listed_in_the_outbox_in_words(app, office, people):
    act("token.created", people["D9001"], token="Power BI")
    refuse(people["D1001"], 10)
    browser = another(app)
    let_in(browser, "D9001")
    text = browser.page("/reminders").text

    assert "Access token made" in text
    assert "Alert: many refusals, Priya Shah" in text
    assert len(ALERTS) == 6
