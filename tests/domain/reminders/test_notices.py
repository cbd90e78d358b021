"""Mail about accounts: to the owner and the other administrators, in the transaction of the act, at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from portal.domain.accounts import grants, services
from portal.domain.accounts.models import Factor, ProviderIdentity
from portal.domain.people.models import PersonName
from portal.domain.reminders.models import Message, MessageKind, NoticeLine
from portal.domain.reminders.notice_texts import BATCH
from portal.platform import clock
from portal.platform.audit import list_announced, log
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs.models import Job
from portal.platform.permissions import Role
from tests.domain.imports.rosters import run
from tests.domain.reminders.office_set import make_administrators, set_office
from tests.domain.reminders.post_office import Office
from tests.domain.status.facts import add
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, make_account, sign_in
from tests.pages.grants.granting import LIST, PROPOSED, make_team
from tests.pages.monitoring.counting import statements

NIGHT = datetime(2026, 5, 16, 1, 30, tzinfo=UTC)  # a Saturday: reminders wait, this does not
PAGE = "/people/D1001/account"
LINK = {"issuer": "", "subject": "jo", "claim_value": "D1001", "bound_at": NIGHT, "last_used_at": NIGHT}
DEVICE = {"reference": "r", "kind": "totp", "label": "Phone", "added_at": NIGHT}


@pytest.fixture
def office(app: Flask, database: None) -> Iterator[Office]:
    with time_machine.travel(NIGHT, tick=False), set_office(app) as opened:
        yield opened


@pytest.fixture
def force(office: Office) -> dict[str, int]:
    return make_administrators()


@pytest.fixture
def admin(client: PortalClient, force: dict[str, int]) -> PortalClient:
    sign_in(client, "D9001", path="/sign-in?next=/account")
    return client


def address(number: str) -> str:
    return f"{number.lower()}@westshire.example"


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def delivered(app: Flask, office: Office) -> dict[str, list[EmailMessage]]:
    """What a worker sends, by address; what came before is forgotten."""
    office.taken.clear()
    assert run(app, "reminders", "send").exit_code == 0
    found: dict[str, list[EmailMessage]] = {}
    for to, mail in office.taken:
        found.setdefault(to, []).append(mail)
    return found


def notices() -> int:
    return db.session.scalar(select(func.count()).where(Message.kind == MessageKind.NOTICE)) or 0


Act = Callable[[PortalClient], object]
BY_PAGE: dict[str, tuple[Act, str, str]] = {
    "role.granted": (
        lambda admin: admin.press(
            admin.page(PAGE), "Grant role", role="auditor", unit="", until="31 March 2027"
        ),
        "Priya Name D9001 (D9001) gave Priya Name D1001 (D1001) the role Auditor (Whole force), "
        "until 31 March 2027.",
        "Priya Name D9001 (D9001) gave you the role Auditor (Whole force), until 31 March 2027.",
    ),
    "role.revoked": (
        lambda admin: admin.press(admin.page(PAGE), "End role Manager North"),
        "Priya Name D9001 (D9001) ended the role Manager (North) of Priya Name D1001 (D1001).",
        "Priya Name D9001 (D9001) ended your role Manager (North).",
    ),
    "account.invited": (
        lambda admin: admin.press(admin.page(PAGE), "Make a link to set a password"),
        "Priya Name D9001 (D9001) made a link for Priya Name D1001 (D1001) to set a new password.",
        "Priya Name D9001 (D9001) made a link for you to set a new password",
    ),
    "account.closed": (
        lambda admin: admin.press(admin.page(f"{PAGE}/close"), "Close the account"),
        "Priya Name D9001 (D9001) closed the account of Priya Name D1001 (D1001).",
        "Priya Name D9001 (D9001) closed your account.",
    ),
    "account.opened": (
        lambda admin: admin.press(admin.page(PAGE), "Open the account again"),
        "Priya Name D9001 (D9001) opened the account of Priya Name D1001 (D1001) again.",
        "Priya Name D9001 (D9001) opened your account again.",
    ),
    "account.identity_removed": (
        lambda admin: admin.post(
            f"{PAGE}/identity/remove", data=admin.page(PAGE).form_with("End all sessions").fields
        ),
        "Priya Name D9001 (D9001) removed the link from Priya Name D1001 (D1001) to a force account.",
        "Priya Name D9001 (D9001) removed the link to the force account with which you sign in.",
    ),
    "account.factors_reset": (
        lambda admin: admin.press(admin.page(PAGE), "Reset the second factor"),
        "Priya Name D9001 (D9001) removed the second factor of Priya Name D1001 (D1001)",
        "Priya Name D9001 (D9001) removed your second factor and your recovery codes. You were signed out.",
    ),
}
BEFORE: dict[str, Callable[[dict[str, int]], object]] = {
    "role.revoked": lambda force: make_grant(force["D1001"], "manager", force["north"]),
    "account.opened": lambda force: closed(force["D1001"]),
    "account.identity_removed": lambda force: add(ProviderIdentity(person_id=force["D1001"], **LINK)),
    "account.factors_reset": lambda force: add(Factor(person_id=force["D1001"], **DEVICE)),
}


def closed(person: int) -> None:
    with transaction():
        services.close_account(person, by=None, at=clock.now())
        db.session.info.pop("acts")  # of which nothing is to be told here


def test_every_act_that_is_announced_has_its_case() -> None:
    webhooks = {act for act in list_announced() if act.startswith("webhook.")}  # in their own tests
    assert BY_PAGE.keys() | {BATCH, "token.created", "token.revoked"} == list_announced() - webhooks


@pytest.mark.parametrize("act", sorted(BY_PAGE))
def test_the_owner_and_the_other_administrators_are_told_at_once(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient, act: str
) -> None:
    if act in BEFORE:
        BEFORE[act](force)
    done, to_others, to_owner = BY_PAGE[act]
    done(admin)

    mails = delivered(app, office)
    others = {address(number) for number in ("D9002", "D9003", "D9004")}  # not whoever did it, nor the south
    assert mails.keys() == {*others, address("D1001")}
    assert all(len(found) == 1 for found in mails.values())
    for to, (mail,) in mails.items():
        text = words(mail)
        assert f"2:30 on 16 May 2026: {to_owner if to == address('D1001') else to_others}" in text
        assert "If you did not expect this" in text
        assert "set-password" not in mail.as_string()
    assert delivered(app, office) == {}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("people", "grant", "D1001", "auditor"), "Somebody at the command line gave you the role Auditor"),
        (("accounts", "invite", "D1001"), "Somebody at the command line made a link for you to set"),
    ],
)
def test_a_command_is_told_of_to_every_administrator(
    app: Flask, office: Office, force: dict[str, int], command: tuple[str, ...], said: str
) -> None:
    done = run(app, *command)
    mails = delivered(app, office)

    assert mails.keys() == {address(n) for n in ("D9001", "D9002", "D9003", "D9004", "D1001")}
    assert said in words(mails[address("D1001")][0])
    token = done.stdout.strip().rpartition("/")[2]
    assert all(token not in mail.as_string() for found in mails.values() for mail in found)


@pytest.mark.slow
def test_a_changed_last_day_is_one_change(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    for until in ("", "31 March 2027"):
        admin.press(admin.page(PAGE), "Grant role", role="auditor", unit="", until=until)
    first, second = delivered(app, office)[address("D9002")]

    assert first["Subject"] == "Role given to Priya Name D1001"
    assert second["Subject"] == "Role changed: Priya Name D1001"
    assert "changed the role Auditor (Whole force) of Priya Name D1001 (D1001)" in words(second)
    assert "They now have it until 31 March 2027" in words(second)


def test_what_is_refused_or_rolled_back_is_told_to_nobody(force: dict[str, int]) -> None:
    both = [grants.NewGrant(force[number], Role.AUDITOR, None) for number in ("D1001", "D9001")]
    with pytest.raises(RuleError), transaction():
        grants.give_grants(both, by=force["D9001"], at=clock.now())
    assert notices() == 0
    with transaction():  # held already: nothing was done
        grants.grant_role(force["D9002"], Role.ADMINISTRATOR, unit_id=None, by=force["D9001"], at=clock.now())
    assert notices() == 0


def test_a_refusal_that_is_no_alert_asks_for_no_reader(force: dict[str, int]) -> None:
    with statements() as asked, transaction():
        log("access.refused", actor_id=force["D9001"])
    assert not [statement for statement in asked if "role_grant" in statement]


@pytest.mark.slow
def test_many_grants_are_one_mail_to_each_administrator(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    for number in range(40):
        make_team(f"Team {number}", f"M{number:02}", 1, force["north"])
    page = admin.page(PROPOSED)
    numbers = [box.get("value") for box in page.all("input", name="give")]
    confirm = admin.press(page, "Continue with those selected", give=numbers)
    with statements() as asked:
        admin.press(confirm, "Give 40 grants")
    mails = delivered(app, office)

    administrators = {address(n) for n in ("D9002", "D9003", "D9004")}
    assert mails.keys() == administrators | {f"m{n:02}@westshire.example" for n in range(40)}
    assert all(len(found) == 1 for found in mails.values())
    mail = mails[address("D9002")][0]
    assert mail["Subject"] == "40 changes to accounts"
    assert words(mail).count(" the role Manager ") == 40
    assert len(asked) < 40 * 12


@pytest.mark.slow
def test_somebody_without_an_address_is_passed_over_and_that_is_seen(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    with transaction():
        db.session.execute(
            update(PersonName).where(PersonName.person_id == force["D9002"]).values(email=None)
        )
    BY_PAGE["role.granted"][0](admin)

    assert address("D9002") not in delivered(app, office)
    page = admin.page("/reminders?state=failed")
    assert "Name D9002, Priya" in page.text
    assert "No email address is known for this person." in page.text
    assert "Account: role given, Priya Name D1001" in page.text
    assert "1 message about accounts did not arrive" in admin.page(LIST).text
    again = admin.press(page, "Try again: Name D9002, Priya", 409)
    assert "No email address is known for this person" in again.text
    with transaction():
        later = update(PersonName).where(PersonName.person_id == force["D9002"])
        db.session.execute(later.values(email="found@westshire.example"))
    admin.press(admin.page("/reminders?state=failed"), "Try again: Name D9002, Priya")
    assert delivered(app, office).keys() == {"found@westshire.example"}


def test_the_mail_goes_to_the_address_known_when_it_was_done(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    BY_PAGE["account.invited"][0](admin)
    with transaction():
        changed = update(PersonName).where(PersonName.person_id == force["D1001"])
        db.session.execute(changed.values(email="thief@example.org"))

    mails = delivered(app, office)
    assert address("D1001") in mails
    assert "thief@example.org" not in mails


def test_the_only_administrator_tells_the_owner_alone(
    app: Flask, client: PortalClient, office: Office
) -> None:
    unit = make_unit("Force")
    make_grant(make_account("D9001", unit=unit), "administrator")
    make_account("D1001", unit=unit)
    sign_in(client, "D9001", path="/sign-in?next=/account")
    page = client.page(LIST)
    sentence = "Nobody else is an administrator of the whole force. Only the person concerned gets an email."
    assert sentence in page.text

    client.press(client.page(PAGE), "Make a link to set a password")

    assert delivered(app, office).keys() == {address("D1001")}


def test_who_could_do_nothing_about_it_is_not_told(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    closed(force["D9002"])
    left = make_person(make_unit("Gone"), staff_number="D9006", until=NIGHT.date().replace(day=1))
    make_grant(left, "administrator")
    BY_PAGE["account.invited"][0](admin)

    assert delivered(app, office).keys() == {address(n) for n in ("D1001", "D9003", "D9004")}


def test_an_administrator_whose_role_is_ended_hears_of_it_as_its_owner(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    admin.press(admin.page("/people/D9002/account"), "End role Administrator")
    mails = delivered(app, office)

    assert [mail["Subject"] for mail in mails[address("D9002")]] == ["One of your roles was ended"]
    assert [mail["Subject"] for mail in mails[address("D9003")]] == ["Role ended: Priya Name D9002"]


@pytest.mark.slow
def test_many_a_day_reach_the_same_person_beside_a_reminder_that_waits(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    for button in ("Make a link to set a password",) * 3:
        admin.press(admin.page(PAGE), button)
    assert notices() == 3 * 4
    assert len(delivered(app, office)[address("D1001")]) == 3
    assert set(db.session.scalars(select(Message.sent_on))) == {None}


@pytest.mark.slow
def test_a_busy_relay_is_asked_again_and_nothing_is_joined_or_lost(
    app: Flask, office: Office, force: dict[str, int], admin: PortalClient
) -> None:
    office.busy.add(address("D1001"))
    BY_PAGE["account.invited"][0](admin)
    BY_PAGE["role.granted"][0](admin)
    assert address("D1001") not in delivered(app, office)
    office.busy.clear()
    with time_machine.travel(NIGHT.replace(minute=40), tick=False):
        mails = delivered(app, office)

    assert mails.keys() == {address("D1001")}
    assert len(mails[address("D1001")]) == 2


def test_a_job_is_asked_for_with_the_act_where_mail_is_set_up(
    app: Flask, force: dict[str, int], admin: PortalClient
) -> None:
    for _ in range(2):
        BY_PAGE["account.invited"][0](admin)
    assert list(db.session.scalars(select(Job.kind))) == ["notices"]  # it waits: one is enough


def test_without_a_relay_the_outbox_keeps_them_and_grants_say_so(
    app: Flask, client: PortalClient, force: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], smtp_host=""))
    sign_in(client, "D9001", path="/sign-in?next=/account")
    BY_PAGE["account.invited"][0](client)

    page = client.page(LIST)
    assert "Email is not set up, so nobody gets an email" in page.text
    assert "4 messages wait" in page.text
    assert list(db.session.scalars(select(Job.kind))) == []
    assert "Account: password link made, Priya Name D1001" in client.page(page.links["Reminders"]).text


@pytest.mark.slow
def test_a_directive_owner_reads_of_no_account_in_the_outbox(
    app: Flask, force: dict[str, int], admin: PortalClient
) -> None:
    make_grant(make_account("D4001", unit=force["north"]), "directive-owner")
    BY_PAGE["account.invited"][0](admin)
    owner = another(app)
    sign_in(owner, "D4001", path="/sign-in?next=/account")

    shown = owner.page("/reminders").text
    assert ("Waiting (0)" in shown, "Account:" in shown) == (True, False)
    assert "Waiting (4)" in admin.page("/reminders").text


@pytest.mark.slow
def test_a_long_list_of_notices_asks_no_more(app: Flask, force: dict[str, int], admin: PortalClient) -> None:
    BY_PAGE["account.invited"][0](admin)
    with statements() as few:
        admin.page("/reminders")
    for _ in range(6):
        BY_PAGE["account.invited"][0](admin)
    with statements() as many:
        assert len(admin.page("/reminders").all("tr")) > 20
    assert len(few) == len(many)
    assert db.session.scalar(select(func.count()).select_from(NoticeLine)) == 28
