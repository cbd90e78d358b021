"""Signing in and out."""

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent
from portal.db import db
from tests.accounts.browsing import PASSWORD, make_account, sign_in
from tests.pages import PortalClient


@pytest.mark.parametrize(
    "name", ["D1001", "d1001", " D1001 ", "d1001@westshire.example", "D1001@Westshire.Example"]
)
def test_staff_number_or_email_address_signs_in(client: PortalClient, name: str) -> None:
    make_account()

    sign_in(client, name, path="/sign-in?next=/account")

    page = client.page("/account")
    assert page.h1 == "Your account"
    assert "Constable Priya Shah" in page.text
    assert db.session.scalar(select(func.count()).where(AuditEvent.action == "account.signed_in")) == 1


def test_a_page_asks_to_sign_in_and_is_then_shown(client: PortalClient) -> None:
    make_account()

    asked = client.page("/account")

    assert asked.h1 == "Sign in"
    assert client.press(asked, "Sign in", name="D1001", password=PASSWORD).h1 == "Your account"
