"""Signing in again within ten minutes: for grants, settings and large files, and what it asks for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.domain.accounts.models import HeldForm, PasswordLink, SignInSession
from portal.domain.accounts.queries import RequestSession, SessionState
from portal.pages.layout.access import wants_recent_sign_in
from portal.pages.layout.sessions import step_up
from portal.pages.monitoring import export_views
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import SoftAuthenticator, add_codes, code_of
from tests.factories.people import make_grant
from tests.feature_sweeps import union_of
from tests.page_reading import PortalClient
from tests.pages.account.browsing import (
    FORM,
    OTHER,
    PASSWORD,
    another,
    make_account,
    open_form,
    send_form,
    sign_in,
    signed_in,
)
from tests.pages.monitoring.world import make_world
from tests.pages.sign_in.second_factors import add_passkey, answer, options_on

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGAIN = "Sign in again to continue"
WANTED = {
    "account.add_code_device",
    "account.add_passkey",
    "account.remove_factor",
    "account.replace_recovery_codes",
    "assurance.sign_statement",
    "force_plan.publish_next_plan",
    "grants.give_to_several",
    "scim_groups.map_group",
    "grants.propose_grants",
    "grants.review_grants",
    "guides.edit_force_settings",
    "imports.apply_import",
    "jobs.retry_job",
    "people.grant_role",
    "people.invite_person",
    "people.lift_lock",
    "people.make_link",
    "people.print_invitations",
    "people.remove_identity",
    "people.reopen_account",
    "people.reset_factors",
    "people.revoke_role",
    "people.show_invitations",
    "people.subject_access",
    "reminders.send_again",
    "retention.approve_disposal",
    "retention.correct_data",
    "retention.erase_data",
    "retention.resume_disposal",
    "tokens.make_token",
    "tokens.resume_tokens",
    "units.move_unit",
} | union_of("RECENT")


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def test_the_acts_that_want_it_are_these(app: Flask) -> None:
    assert {name for name, view in app.view_functions.items() if wants_recent_sign_in(view)} == WANTED


@pytest.mark.parametrize(("minutes", "asked"), [(0, False), (10, False), (11, True), (59, True)])
def test_a_grant_wants_a_sign_in_of_the_last_ten_minutes(
    frozen: time_machine.Traveller, client: PortalClient, minutes: int, asked: bool
) -> None:
    form = open_form(client)
    frozen.shift(timedelta(minutes=minutes))

    page = send_form(client, form)

    assert (page.h1 == AGAIN) is asked
    assert ("Role granted" in page.text) is not asked


def test_what_was_sent_is_kept_and_carried_out_afterwards(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    form = open_form(client)
    frozen.shift(timedelta(minutes=30))
    page = send_form(client, form)
    assert "What you sent is kept for 60 minutes" in page.text
    assert db.session.scalar(select(func.count()).select_from(HeldForm)) == 1

    page = client.press(page, "Continue", password=PASSWORD)
    assert page.h1.startswith("Your request to give a role to ")
    page = client.press(page, "Continue")

    assert "Role granted: Publisher" in page.text
    assert db.session.scalar(select(func.count()).select_from(HeldForm)) == 0
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.signed_in_again")).one()
    assert event.detail == {"method": "password", "factor": None}


def test_a_link_for_somebody_else_wants_a_recent_sign_in_and_is_shown_afterwards(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    form = open_form(client)
    frozen.shift(timedelta(minutes=30))
    page = client.press(form, "Make a link to set a password")
    assert page.h1 == AGAIN
    assert db.session.scalar(select(func.count()).select_from(PasswordLink)) == 0

    page = client.press(page, "Continue", password=PASSWORD)
    assert page.h1 == "Your request to make a password link for D1005 was kept"
    assert "Sent at 09:30 on 2 March 2026, in People." in page.text  # perhaps by somebody else
    page = client.press(page, "Continue")

    assert page.h1.startswith("Link for")
    assert "/set-password/" in page.text


def test_the_session_goes_on_under_a_new_token(frozen: time_machine.Traveller, client: PortalClient) -> None:
    form = open_form(client)
    stolen = another(client.application)
    old = client.get_cookie("portal")
    assert old is not None
    stolen.set_cookie("portal", old.value)
    assert signed_in(stolen)
    frozen.shift(timedelta(minutes=30))

    page = client.press(send_form(client, form), "Continue", password=PASSWORD)

    assert page.h1.startswith("Your request to give a role to ")
    assert not signed_in(stolen)
    assert "Role granted" in send_form(client, form).text  # a page opened before still works
    assert db.session.scalar(select(func.count()).select_from(SignInSession)) == 1


def test_a_wrong_password_or_code_carries_nothing_out_and_counts(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    form = open_form(client)
    secret = add_codes(db.session.scalars(select(SignInSession.person_id)).one())
    frozen.shift(timedelta(minutes=30))
    page = send_form(client, form)
    for password, code in ((OTHER, code_of(secret)), (PASSWORD, "000000"), (PASSWORD, ""), (OTHER, "1")):
        page = client.press(page, "Continue", password=password, code=code)
        assert page.h1 == AGAIN
    for _ in range(2):
        page = client.press(page, "Continue", password=OTHER, code="000000")

    client.press(page, "Continue", 429, password=PASSWORD, code=code_of(secret))
    assert "Role granted" not in client.page(FORM).text
    frozen.shift(timedelta(minutes=5))
    page = client.press(client.page("/sign-in/again"), "Continue", password=PASSWORD, code=code_of(secret))
    assert page.h1.startswith("Your request to give a role to ")


def test_a_passkey_is_enough(frozen: time_machine.Traveller, client: PortalClient) -> None:
    form, device = open_form(client), SoftAuthenticator()
    add_passkey(client, device)
    frozen.shift(timedelta(minutes=30))
    page = send_form(client, form)
    assert page.h1 == AGAIN

    page = answer(client, page, device.get(options_on(page)), "Use your passkey")

    assert page.h1.startswith("Your request to give a role to ")


def test_who_may_not_do_it_is_refused_at_once(frozen: time_machine.Traveller, client: PortalClient) -> None:
    make_account("D1005")
    make_account()
    page = sign_in(client, path="/sign-in?next=/account")
    frozen.shift(timedelta(minutes=30))
    token = {"csrf_token": page.form_with("Sign out").fields["csrf_token"][0]}

    assert client.post("/people/D1005/account/grants", data=token).status_code == 403


def test_a_script_is_told_by_the_code_and_nothing_is_kept(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    form = open_form(client).form_with("Grant role")
    frozen.shift(timedelta(minutes=30))

    answer = client.post(form.action, data=form.fields, headers={"Sec-Fetch-Mode": "cors"})

    assert answer.status_code == 403
    assert db.session.scalar(select(func.count()).select_from(HeldForm)) == 0


def test_settings_of_the_force_want_it_too(frozen: time_machine.Traveller, client: PortalClient) -> None:
    make_grant(make_account(), Role.AUTHOR)
    sign_in(client)
    token = {"csrf_token": client.page("/account").form_with("Sign out").fields["csrf_token"][0]}
    frozen.shift(timedelta(minutes=11))

    assert client.post("/force-settings", data=token, follow_redirects=True).status_code == 200
    assert client.post("/force-settings", data=token).location == "/sign-in/again"


@pytest.mark.parametrize("file", ["completions.csv", "completions.json", "people.csv", "completions.xlsx"])
def test_a_file_about_many_wants_it_and_is_then_offered(
    frozen: time_machine.Traveller, client: PortalClient, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    make_world()
    make_grant(make_account("D9009"), Role.AUDITOR)
    sign_in(client, "D9009")
    frozen.shift(timedelta(minutes=11))
    address = f"/monitoring/directives/OIC-2026/{file}?as_at=2026-02-01"
    assert client.get(address).status_code == 200
    monkeypatch.setattr(export_views, "MANY_PEOPLE", 2)

    page = client.page(address)
    assert page.h1 == AGAIN
    page = client.press(page, "Continue", password=PASSWORD)
    assert page.h1 == "You have signed in again"
    link = page.links["Download the file"]
    assert link == address
    assert client.get(link).status_code == 200


def test_many_are_more_than_a_thousand() -> None:
    assert step_up.MANY_PEOPLE == export_views.MANY_PEOPLE == 1_000


@given(st.integers(-3600, 48 * 3600), st.sampled_from(["totp", "passkey", "recovery", "provider"]))
def test_a_sign_in_is_recent_for_ten_minutes_and_never_before_it_was(seconds: int, factor: str) -> None:
    with time_machine.travel(START, tick=False):
        signed_in_at = START - timedelta(seconds=seconds)
        current = RequestSession(
            "hash",
            "reference",
            1,
            "secret",
            START,
            START,
            SessionState.OPEN,
            False,
            "password",
            factor,
            signed_in_at,
            None,
        )

        assert step_up.is_recent(current) is (0 <= seconds <= 600)
