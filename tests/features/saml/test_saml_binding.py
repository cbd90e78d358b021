"""Which person a name of the SAML provider signs in: one attribute once, then the name for ever."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.domain.accounts.models import ProviderIdentity, RefusedIdentity, SignInSession
from portal.features.saml.provider import SamlProvider
from portal.platform import clock
from portal.platform.db import db
from portal.platform.openid.claims import ProviderUnavailableError
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.features.saml.bringing import bring_and_follow, enter, enter_page
from tests.features.saml.hostile_idp import PERSISTENT, HostileIdp, request_of
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import (
    PASSWORD,
    let_in,
    make_account,
    open_form,
    send_form,
    sign_in,
    signed_in,
)
from tests.pages.sign_in.walking import begin


def lasting(name: str) -> str:
    return f'<saml:NameID Format="{PERSISTENT}">{name}</saml:NameID>'


def test_a_bound_name_signs_in_whatever_the_attribute_says_later(
    client: PortalClient, trusted: HostileIdp
) -> None:
    make_account("D1002")
    for number, values in enumerate((["D1001"], ["D1002"], [])):
        trusted.attributes, trusted.assertion_id = {"employee_id": values} if values else {}, f"_a{number}"
        assert enter(client, trusted).status_code == 303
        assert "D1001" in client.page("/account").text
        client.delete_cookie("portal")

    identity = db.session.scalars(select(ProviderIdentity)).one()
    assert (identity.issuer, identity.subject) == (trusted.entity, "jo")
    assert set(db.session.scalars(select(SignInSession.method))) == {"saml"}


@pytest.mark.parametrize(
    ("values", "reason", "sentence"),
    [
        ([], "no-claim", "did not say which person"),
        (["D1001", "D1002"], "no-claim", "did not say which person"),
        (["D9999"], "nobody", "Nobody in the portal’s roster"),
    ],
    ids=["none", "two", "unknown"],
)
def test_whoever_is_not_found_reads_whom_to_ask(
    client: PortalClient, trusted: HostileIdp, values: list[str], reason: str, sentence: str
) -> None:
    trusted.attributes = {"employee_id": values} if values else {}

    page = enter_page(client, trusted)

    assert sentence in page.text
    assert "close every window of the browser" in page.text
    assert db.session.scalars(select(RefusedIdentity.reason)).one() == reason
    assert not signed_in(client)


def test_a_person_signs_in_with_one_name_alone(client: PortalClient, trusted: HostileIdp) -> None:
    enter(client, trusted)
    client.delete_cookie("portal")
    trusted.name_id, trusted.assertion_id = lasting("eve"), "_eve"

    assert "another account" in enter_page(client, trusted).text
    assert db.session.scalars(select(ProviderIdentity.subject)).all() == ["jo"]


def test_administrators_see_who_is_linked_and_remove_a_link(
    client: PortalClient, trusted: HostileIdp
) -> None:
    make_grant(make_account("D1009"), Role.ADMINISTRATOR)
    enter(client, trusted)
    client.delete_cookie("portal")
    sign_in(client, "D1009")

    page = client.page("/people/identities")
    assert page.h1 == "Sign-in with your Westshire account"
    assert "employee_id" in page.text
    listed = client.page("/people/accounts")
    assert "Sign-ins that were not let in" in listed.links
    assert "single sign-on" in listed.text.lower()
    client.press(client.page("/people/D1001/account"), "Remove the link", 200)

    assert db.session.scalars(select(ProviderIdentity)).all() == []


def test_passwords_are_for_administrators_where_there_is_a_provider(
    client: PortalClient, trusted: HostileIdp
) -> None:
    make_grant(make_account("D1009"), Role.ADMINISTRATOR)
    page = client.page("/sign-in")
    assert page.links["Sign in with your Westshire account"] == "/sign-in/saml"

    page = client.press(page, "Sign in", 200, name="D1001", password=PASSWORD)
    assert page.h1 == "Sign in"
    let_in(client, "D1009")
    assert signed_in(client)


def test_signing_out_is_here_alone(client: PortalClient, trusted: HostileIdp) -> None:
    enter(client, trusted)

    assert client.press(client.page("/account"), "Sign out", 200).h1 == "Sign in"
    assert not signed_in(client)


def test_a_form_sent_after_a_lapse_waits_for_its_sender(
    client: PortalClient, hostile: HostileIdp, use_idp: Callable[..., Path]
) -> None:
    use_idp(hostile.metadata(), local_sign_in="everyone")
    page = open_form(client)
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        assert "What you sent is kept" in send_form(client, page).text

        assert enter(client, hostile).location == "/sign-in/kept"


def test_metadata_that_ran_out_is_said_and_administrators_get_in(
    client: PortalClient, trusted: HostileIdp, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_grant(make_account("D1009"), Role.ADMINISTRATOR)
    request_id, relay_state = request_of(begin(client, "/account"))

    def fail(*_: object) -> None:
        raise ProviderUnavailableError("metadata_out_of_date")

    monkeypatch.setattr(SamlProvider, "_read_metadata", fail)
    for answer in (
        client.get("/sign-in/saml?next=/account"),
        bring_and_follow(client, trusted.signed_response(request_id), relay_state),
    ):
        page = Page(answer, "/sign-in")
        assert (page.status, page.headers["Retry-After"]) == (503, "60")
        assert "does not work at the moment" in page.text
        assert page.links["Sign in with your Westshire account"] == "/sign-in/saml?next=/account"
    let_in(client, "D1009")
    assert signed_in(client)


@pytest.mark.parametrize("path", ["/sign-in/saml", "/sign-in/saml/answer", "/saml/metadata"])
def test_without_a_provider_there_are_no_such_pages(client: PortalClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post("/saml/acs").status_code == 404


def test_the_portals_metadata_are_for_the_providers_administrator(
    app: Flask, trusted: HostileIdp, use_idp: Callable[..., Path]
) -> None:
    use_idp(trusted.metadata(), entity_id="urn:westshire:learning")
    answer = app.test_client().get("/saml/metadata")

    assert answer.mimetype == "application/samlmetadata+xml"
    assert b'entityID="urn:westshire:learning"' in answer.data
