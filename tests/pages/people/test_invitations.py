"""Invitations by mail: the preview, one button, what is sent, and who may invite whom."""

import time
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts.models import Invitation, PasswordLink
from portal.domain.accounts.tokens import hash_token
from portal.domain.reminders import services, tasks
from portal.domain.reminders.models import Message
from portal.platform.db import db, transaction
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.factories.people import make_grant
from tests.logged import Log
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, make_account, sign_in, signed_in
from tests.pages.people.inviting import (
    NOON,
    PAGE,
    Force,
    enter,
    events,
    everything_stored,
    invite,
    invite_button,
    run_jobs,
    sent_to,
    set_email,
    text_of,
    token_of,
)

pytestmark = pytest.mark.slow


def test_people_without_an_account_get_a_link_that_lets_them_in(
    app: Flask, office: Office, admin: PortalClient
) -> None:
    page = admin.page(PAGE)
    assert invite_button(page) == "Invite 3 people"
    answer = invite(app, admin)

    assert answer.h1 == "Invitations"
    assert sorted(address for address, _ in office.taken if address[0] in "ns") == [
        "n1@westshire.example",
        "n2@westshire.example",
        "s1@westshire.example",
    ]
    token = token_of(sent_to(office, "N1")[0])
    newcomer = PortalClient(app)
    set_password = newcomer.page(f"/set-password/{token}")
    assert newcomer.press(set_password, "Set password", password=PASSWORD).h1 == "Sign in"
    sign_in(newcomer, "N1", path="/sign-in?next=/account")
    assert signed_in(newcomer)
    assert newcomer.get(f"/set-password/{token}").status_code == 404


def count_of(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def working_links() -> list[PasswordLink]:
    """The links that work."""
    rows = select(PasswordLink).where(PasswordLink.used_at.is_(None)).order_by(PasswordLink.created_at)
    return list(db.session.scalars(rows))


def works(app: Flask, token: str) -> bool:
    return PortalClient(app).get(f"/set-password/{token}").status_code == 200


def test_the_mail_says_what_to_do_until_when_and_whom_to_ask(
    app: Flask, office: Office, admin: PortalClient
) -> None:
    invite(app, admin)
    mail = sent_to(office, "N1")[0]
    text = text_of(mail)
    assert mail["Subject"] == "Set your password for the learning portal"
    assert mail["To"] == "Priya New N1 <n1@westshire.example>"
    assert text.startswith("Dear Priya New N1,\n")
    assert "The link works once, until 12:00 on 27 May 2026. Do not forward this email." in text
    assert "sign in with your staff number, N1, or this email address" in text
    assert "/sign-in/help\n" in text


def test_a_link_lasts_seven_days_from_sending(
    app: Flask, office: Office, admin: PortalClient, clock: time_machine.Traveller
) -> None:
    office.busy.add("n1@westshire.example")
    invite(app, admin, "?unit=North")
    assert sent_to(office, "N1") == []
    clock.shift(timedelta(days=1))
    office.busy.clear()
    app.test_cli_runner().invoke(args=["reminders", "send"])
    early, late = token_of(sent_to(office, "N2")[0]), token_of(sent_to(office, "N1")[0])

    clock.shift(timedelta(days=6) - timedelta(seconds=1))
    assert (works(app, early), works(app, late)) == (True, True)
    clock.shift(timedelta(seconds=1))
    assert (works(app, early), works(app, late)) == (False, True)
    clock.shift(timedelta(days=1))
    assert not works(app, late)


@pytest.mark.parametrize("between", ["before-the-worker", "after-the-worker"])
def test_pressing_twice_invites_once(app: Flask, office: Office, admin: PortalClient, between: str) -> None:
    page = admin.page(PAGE)
    admin.press(page, "Invite 3 people")
    if between == "after-the-worker":
        run_jobs(app)
    answer = admin.press(page, "Invite 3 people")
    run_jobs(app)
    assert len(office.taken) == 3
    assert count_of(Invitation) == count_of(Message) == 3
    if between == "after-the-worker":
        assert "Nobody is left to invite here" in answer.text


def test_a_list_that_has_changed_since_is_shown_again(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    page = admin.page(PAGE)
    force.add("N3")
    answer = admin.press(page, "Invite 3 people")
    assert "The list has changed: 4 people now" in answer.text
    assert run_jobs(app) == []
    admin.press(answer, "Invite 4 people")
    run_jobs(app)
    assert len(office.taken) == 4


def test_other_jobs_get_their_turn_between_two_rounds(
    app: Flask, office: Office, admin: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SECONDS", 0)
    admin.press(admin.page(PAGE), "Invite 3 people")
    assert run_jobs(app) == ["invitations", *["account_links"] * 3]
    assert len(office.taken) == 3


def test_the_relays_pace_holds_within_and_between_rounds(
    app: Flask, office: Office, admin: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SECONDS", 0.1)
    with set_office(app, smtp_per_minute=300) as slow:
        admin.press(admin.page(PAGE), "Invite 3 people")
        begun = time.monotonic()
        with time_machine.travel(NOON, tick=True):
            run_jobs(app)
    assert len(slow.when) == 3
    assert slow.when[-1] - begun > 0.39  # two gaps of 0.2 seconds


def test_a_relay_that_is_down_loses_nothing(app: Flask, office: Office, admin: PortalClient) -> None:
    port, office.port = office.port, 1
    with set_office(app, smtp_port=1):
        invite(app, admin)
        assert "cannot be used" in admin.page("/jobs?state=failed").text
        assert count_of(Message) == 3
        assert working_links() == []  # a link that reached nobody is not kept
        assert "Waiting to be sent." in admin.page(PAGE).text
    office.port = port
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        app.test_cli_runner().invoke(args=["reminders", "send"])
        app.test_cli_runner().invoke(args=["reminders", "send"])
    assert sorted(address for address, _ in office.taken) == [
        "n1@westshire.example",
        "n2@westshire.example",
        "s1@westshire.example",
    ]
    assert works(app, token_of(sent_to(office, "N1")[0]))


def test_an_address_that_refuses_is_shown_and_invited_again_once_corrected(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    office.refuse.add("n1@westshire.example")
    invite(app, admin)
    page = admin.page(f"{PAGE}?outcome=undelivered")
    assert "Refused.The relay said 550: 5.1.1 No such mailbox" in page.text
    assert invite_button(page) == ""
    assert len(working_links()) == 2
    set_email(force.people["N1"], "right@westshire.example")
    invite(app, admin)
    assert works(app, token_of(office.to("right@westshire.example")[0]))


def test_the_outbox_sends_a_refused_invitation_again_unless_a_newer_one_went(
    app: Flask, office: Office, admin: PortalClient
) -> None:
    office.refuse |= {"n1@westshire.example", "n2@westshire.example"}
    invite(app, admin, "?unit=North")
    assert "Account: invitation to set a password" in admin.page("/reminders").text
    office.refuse.clear()
    admin.press(admin.page(PAGE), "Send again: New N2, Priya")
    outbox = admin.page("/reminders?state=refused")
    for person in ("New N1, Priya", "New N2, Priya"):
        admin.press(outbox, f"Try again: {person}")
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert works(app, token_of(sent_to(office, "N1")[0]))
    assert len(sent_to(office, "N2")) == 1
    assert "A newer invitation replaces this one." in admin.page("/reminders?state=dropped").text


def test_a_mail_that_comes_back_is_shown(app: Flask, office: Office, admin: PortalClient) -> None:
    invite(app, admin)
    reference = sent_to(office, "N1")[0]["Message-ID"].strip("<>").partition("@")[0]
    with transaction():
        assert services.mark_bounced(UUID(reference), "Came back: 5.1.1 unknown")
    assert "Came back: 5.1.1 unknown" in admin.page(f"{PAGE}?outcome=undelivered").text


def test_a_mail_that_may_have_arrived_has_a_link_that_works_until_the_next_has_gone(
    app: Flask, office: Office, admin: PortalClient, clock: time_machine.Traveller
) -> None:
    office.die.add("n1@westshire.example")
    invite(app, admin, "?unit=North")
    first = token_of(sent_to(office, "N1")[0])
    assert works(app, first)
    office.die.clear()
    clock.shift(timedelta(hours=1))
    run_jobs(app)
    app.test_cli_runner().invoke(args=["reminders", "send"])
    second = token_of(sent_to(office, "N1")[1])
    assert (works(app, first), works(app, second)) == (False, True)


def test_one_person_gets_another_link_by_one_button_and_the_newest_counts(
    app: Flask, office: Office, admin: PortalClient
) -> None:
    invite(app, admin, "?unit=South")
    first = token_of(sent_to(office, "S1")[0])
    page = admin.page(PAGE)
    answer = admin.press(page, "Send again: New S1, Priya")
    assert answer.h1 == "Invitations"
    assert "An invitation to Constable Priya New S1 will be sent." in answer.text
    assert works(app, first)
    assert "is waiting to be sent already" in admin.press(page, "Send again: New S1, Priya").text
    app.test_cli_runner().invoke(args=["reminders", "send"])
    second = token_of(sent_to(office, "S1")[1])
    assert (works(app, first), works(app, second)) == (False, True)
    assert len(office.taken) == 2


def test_the_page_of_an_account_sends_an_invitation(app: Flask, office: Office, admin: PortalClient) -> None:
    page = admin.press(admin.page("/people/N1/account"), "Send an invitation by email")
    assert page.h1 == "Account of Constable Priya New N1"
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert works(app, token_of(sent_to(office, "N1")[0]))
    assert "Send an invitation" not in admin.page("/people/HAS/account").text


def test_all_who_did_not_use_their_link_are_invited_again_by_one_button(
    app: Flask, office: Office, admin: PortalClient, force: Force, clock: time_machine.Traveller
) -> None:
    invite(app, admin, "?unit=North")
    use_link(app, token_of(sent_to(office, "N2")[0]))
    clock.shift(timedelta(days=7))
    admin = enter(app)
    page = admin.page(PAGE)
    assert invite_button(page) == "Invite 2 people"  # S1, who never was, and N1
    assert "The link expired at 12:00 on 27 May 2026." in page.text
    admin.press(page, "Send again to 1 person who did not use their link")
    run_jobs(app)
    assert len(sent_to(office, "N1")) == 2
    assert len(sent_to(office, "N2")) == 1
    assert sent_to(office, "S1") == []
    row = db.session.scalars(select(Invitation).where(Invitation.person_id == force.people["N2"])).one()
    assert row.used_at == NOON


def use_link(app: Flask, token: str) -> None:
    newcomer = PortalClient(app)
    newcomer.press(newcomer.page(f"/set-password/{token}"), "Set password", password=PASSWORD)


def test_no_link_is_in_the_database_the_log_or_on_a_page(
    app: Flask, office: Office, admin: PortalClient, log: Log
) -> None:
    invite(app, admin)
    tokens = [token_of(mail) for address, mail in office.taken if not address.startswith("d900")]
    assert len(tokens) == 3
    pages = [
        admin.get(path).get_data(as_text=True) for path in (PAGE, "/reminders", "/jobs", "/people/N1/account")
    ]
    kept = "\n".join([everything_stored(), log.text, *pages])
    for token in tokens:
        assert token not in kept
        assert hash_token(token) in kept  # so that what is looked through holds the link's row


def test_a_batch_is_one_notice_to_the_others_and_an_event_for_each_person(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    make_grant(make_account("D9003", unit=force.units["force"]), "administrator")
    office.taken.clear()
    invite(app, admin)
    app.test_cli_runner().invoke(args=["reminders", "send"])
    notices = [mail for address, mail in office.taken if address.startswith("d900")]
    assert [mail["Subject"] for mail in notices] == ["3 people invited to the learning portal"]
    assert notices[0]["To"] == "Priya Shah <d9003@westshire.example>"
    text = text_of(notices[0])
    assert "Priya Shah (D9001) invited 3 people to set a password." in text
    assert "/people/invitations\n" in text
    invited = [(event.actor_id, event.subject_id) for event in events("account.invited")]
    assert invited == [(force.people["D9001"], force.people[number]) for number in ("N1", "N2", "S1")]
    assert [event.detail["people"] for event in events("accounts.invited")] == [3]
    assert {event.detail["purpose"] for event in events("account.link_sent")} == {"invitation"}
