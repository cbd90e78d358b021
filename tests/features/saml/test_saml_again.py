"""Signing in again with the SAML provider, before what matters most is carried out."""

import zlib
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask

from portal.domain.accounts.models import SignInSession
from portal.domain.people.queries import person_by_staff_number
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.features.saml.bringing import bring_and_follow, enter
from tests.features.saml.hostile_idp import HostileIdp, instant, request_of
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account
from tests.pages.sign_in.second_factors import set_factor

AGAIN = "Sign in again to continue"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def administrator(trusted: HostileIdp) -> HostileIdp:
    """The provider, where D1001 administers accounts."""
    make_grant(person_by_staff_number("D1001"), Role.ADMINISTRATOR)
    make_account("D1005")
    return trusted


def sign_in_there_again(client: PortalClient, idp: HostileIdp, **values: str) -> str:
    """Follow the page's link to the provider and back; where the portal leads then."""
    page = client.page("/sign-in/again")
    link = next(href for words, href in page.links.items() if words.startswith("Sign in again with"))
    address = client.get(link).location
    (sent,) = parse_qs(urlsplit(address).query)["SAMLRequest"]
    assert b'ForceAuthn="true"' in zlib.decompress(b64decode(sent), -15)
    request_id, relay_state = request_of(address)
    idp.values, idp.assertion_id = values, "_again"
    answer = bring_and_follow(client, idp.signed_response(request_id), relay_state)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def test_the_provider_is_trusted_to_ask_for_a_second_factor(
    app: Flask, client: PortalClient, administrator: HostileIdp, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(app, monkeypatch, "required")

    enter(client, administrator)

    assert client.page("/people").status == 200
    assert db.session.query(SignInSession).one().factor == "provider"


def test_a_grant_waits_for_a_new_sign_in_there(
    frozen: time_machine.Traveller, client: PortalClient, administrator: HostileIdp
) -> None:
    enter(client, administrator)
    form = client.page("/people/D1005/account")
    frozen.shift(timedelta(minutes=30))
    page = client.press(form, "Grant role", role="publisher", unit="")
    assert page.h1 == AGAIN

    assert sign_in_there_again(client, administrator) == "/sign-in/kept"

    page = client.press(client.page("/sign-in/kept"), "Continue")
    assert "Role granted: Publisher" in page.text
    assert db.session.query(SignInSession).count() == 1


@pytest.mark.parametrize(
    ("name", "minutes", "reason"),
    [("jo", 30, "not a new one"), ("eve", 0, "as somebody else")],
    ids=["signed in there before", "another person"],
)
def test_an_old_sign_in_or_another_person_renews_nothing(
    frozen: time_machine.Traveller, client: PortalClient, administrator: HostileIdp, name: str, minutes: int,
    reason: str,
) -> None:  # fmt: skip
    enter(client, administrator)
    frozen.shift(timedelta(minutes=30))
    administrator.name_id = administrator.name_id.replace(">jo<", f">{name}<")

    target = sign_in_there_again(client, administrator, signed_in=instant(-60 * minutes))

    page = client.page(target)
    assert page.h1 == AGAIN
    assert reason in page.text
