"""Invitations by mail: the preview, one button, what is sent, and who may invite whom."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts.models import Invitation, PasswordLink
from portal.domain.reminders.models import Message
from portal.platform.db import db
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, sign_in, signed_in
from tests.pages.people.inviting import (
    PAGE,
    Force,
    enter,
    events,
    everything_stored,
    invite,
    make_force,
    run_jobs,
    sent_to,
    token_of,
)

NOON = datetime(2026, 5, 20, 11, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(app: Flask, database: None, clock: time_machine.Traveller) -> Iterator[Office]:
    with set_office(app) as opened:
        yield opened


@pytest.fixture
def force(office: Office) -> Force:
    return make_force()


@pytest.fixture
def admin(app: Flask, force: Force) -> PortalClient:
    return enter(app)


def test_people_without_an_account_get_a_link_that_lets_them_in(
    app: Flask, office: Office, admin: PortalClient
) -> None:
    page = admin.page(PAGE)
    assert "Invite 3 people" in page.text
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
