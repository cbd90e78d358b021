"""The page of one's own second factors, and an administrator's reset of somebody else's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import fromstring

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.domain.accounts import factors
from portal.domain.accounts.models import Factor
from portal.domain.people.queries import person_by_staff_number
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import add_codes, code_of
from tests.factories.people import make_grant, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import (
    PASSWORD,
    another,
    make_account,
    make_administrator,
    sign_in,
    signed_in,
)
from tests.pages.sign_in.second_factors import key_on, pass_password, set_factor

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAGE = "/account/factors"
CODES = f"{PAGE}/codes"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def set_up_codes(client: PortalClient) -> str:
    page = client.page(CODES)
    secret = key_on(page)
    assert client.press(page, "Set up", code=code_of(secret), label="Work phone").h1 == "Your recovery codes"
    return secret


def test_a_learner_sets_up_codes_and_finds_them_listed(client: PortalClient) -> None:
    make_account()
    sign_in(client)
    assert "Passkeys, one-time codes and recovery codes" in client.page("/account").links

    set_up_codes(client)

    page = client.page(PAGE)
    assert "Work phone One-time codes" in page.text
    assert "You have 10 recovery codes left" in page.text


def test_the_drawing_has_neither_style_nor_script_and_the_key_is_written_beside_it(
    client: PortalClient,
) -> None:
    make_account()
    sign_in(client)

    page = client.page(CODES)

    assert len(key_on(page)) == 32
    svg = page.html[page.html.index("<svg") : page.html.index("</svg>") + 6]
    names = {name for element in fromstring(svg).iter() for name in element.attrib}
    assert names <= {"width", "height", "transform", "fill", "stroke", "d"}


def test_a_wrong_first_code_keeps_the_same_key(client: PortalClient) -> None:
    person = make_account()
    sign_in(client)
    page = client.page(CODES)
    secret = key_on(page)

    page = client.press(page, "Set up", code="000000")

    assert "The code is not right" in page.text
    assert key_on(page) == secret
    assert not factors.has_factors(person)
    assert client.press(page, "Set up", code=code_of(secret)).h1 == "Your recovery codes"


@pytest.mark.parametrize("sealed", ["", "!", "AAAA", "é", "x" * 5000])
def test_a_key_that_was_not_made_here_for_this_person_is_replaced(client: PortalClient, sealed: str) -> None:
    person = make_account()
    sign_in(client)
    page = client.page(CODES)

    page = client.press(page, "Set up", code=code_of(key_on(page)), sealed=sealed)

    assert "The code is not right" in page.text
    assert not factors.has_factors(person)


def test_the_first_code_counts_for_no_sign_in(app: Flask, client: PortalClient) -> None:
    make_account()
    sign_in(client)
    with time_machine.travel(START, tick=False):
        sign_in(another(app))
        other = another(app)
        sign_in(other)
        secret = set_up_codes(other)
        late = another(app)
        late.press(pass_password(late), "Continue", code=code_of(secret))

        assert not signed_in(late)


def test_new_recovery_codes_are_shown_once_and_printed_plainly(client: PortalClient) -> None:
    make_account()
    sign_in(client)
    set_up_codes(client)

    page = client.press(client.page(PAGE), "Make new recovery codes")

    codes = [item.text for item in page.all("li", class_="portal-nowrap")]
    assert len(codes) == 10
    assert "staff number D1001" in page.text
    assert all(str(code) not in client.page(PAGE).html for code in codes)


def test_one_removes_ones_own_factors_alone(app: Flask, client: PortalClient) -> None:
    add_codes(make_account("D1002"))
    person = make_account()
    sign_in(client)
    set_up_codes(client)
    others = db.session.scalars(select(Factor.reference).where(Factor.person_id != person)).one()
    assert client.get(f"{PAGE}/{others}/remove").status_code == 404

    page = client.page(client.page(PAGE).links["Remove Work phone"])
    assert page.h1 == "Remove Work phone"
    page = client.press(page, "Remove")

    assert "Removed: Work phone" in page.text
    assert not factors.has_factors(person)
    assert factors.count_unused_codes(person) == 0
    assert sign_in(another(app), path="/sign-in?next=/account").h1 == "Your account"


def test_who_needs_a_factor_does_not_remove_the_last_one(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_grant(make_account(), Role.AUDITOR)
    sign_in(client)
    set_up_codes(client)
    set_factor(app, monkeypatch, "required")

    page = client.press(client.page(client.page(PAGE).links["Remove Work phone"]), "Remove")

    assert "Add another one before you remove this one" in page.text
    add_codes(db.session.scalars(select(Factor.person_id)).one(), "Old phone")
    page = client.press(client.page(client.page(PAGE).links["Remove Work phone"]), "Remove")
    assert "Removed: Work phone" in page.text


def test_changes_want_a_recent_sign_in(frozen: time_machine.Traveller, client: PortalClient) -> None:
    make_account()
    sign_in(client)
    secret = set_up_codes(client)
    frozen.shift(timedelta(minutes=11))
    for path in (CODES, f"{PAGE}/passkeys"):
        assert client.page(path).h1 == "Sign in again to continue"
    page = client.press(client.page(client.page(PAGE).links["Remove Work phone"]), "Remove")
    assert page.h1 == "Sign in again to continue"

    page = client.press(page, "Continue", password=PASSWORD, code=code_of(secret))

    assert page.h1 == "Your request to remove a way to confirm that it is you was kept"
    assert "Removed: Work phone" in client.press(page, "Continue").text


def test_one_person_has_ten_at_most(client: PortalClient) -> None:
    person = make_account()
    sign_in(client)
    set_up_codes(client)
    for number in range(9):
        add_codes(person, f"Phone {number}")
    page = client.page(CODES)

    page = client.press(page, "Set up", 409, code=code_of(key_on(page)))

    assert "You have 10 already" in page.text


def test_an_administrator_resets_what_was_lost(app: Flask, client: PortalClient) -> None:
    make_administrator()
    lost = enrolment_of("D1005")
    owner = another(app)
    owner.press(pass_password(owner, "D1005"), "Continue", code=code_of(lost))
    sign_in(client, path="/sign-in?next=/account")
    page = client.page("/people/D1005/account")
    assert "One-time codes, added at" in page.text
    assert "last used at" in page.text

    page = client.press(page, "Reset the second factor")

    assert "The second factor is removed, and every session is ended" in page.text
    assert "None yet." in page.text
    assert not signed_in(owner)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "account.factors_reset")).one()
    assert event.detail == {"factors": 1}
    assert sign_in(another(app), "D1005", path="/sign-in?next=/account").h1 == "Your account"


def enrolment_of(number: str) -> str:
    """The secret of a device that the person now has."""
    return add_codes(person_by_staff_number(number))


def test_nobody_resets_their_own_nor_those_out_of_their_units(app: Flask, client: PortalClient) -> None:
    person = make_administrator()
    secret = add_codes(person)
    client.press(pass_password(client), "Continue", code=code_of(secret))
    page = client.page("/people/D1001/account")
    assert "Reset the second factor" not in page.html
    assert "Change your second factor" in page.links
    token = {"csrf_token": page.form_with("Sign out").fields["csrf_token"][0]}

    client.post("/people/D1001/account/factors/reset", data=token)
    assert factors.has_factors(person)

    unit = make_unit("Elsewhere")
    make_grant(make_account("D2001", unit=unit), Role.ADMINISTRATOR, unit)
    other = another(app)
    page = sign_in(other, "D2001", path="/sign-in?next=/account")
    token = {"csrf_token": page.form_with("Sign out").fields["csrf_token"][0]}
    assert other.post("/people/D1001/account/factors/reset", data=token).status_code == 404
    assert factors.has_factors(person)
