"""An administrator sees who is linked to what and who was refused, and removes a link."""

import pytest
from sqlalchemy import select

from portal.domain.accounts.models import ProviderIdentity
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, make_account, sign_in, signed_in
from tests.pages.sign_in.hostile_provider import HostileProvider
from tests.pages.sign_in.walking import enter, enter_page

LIST = "/people/identities"


@pytest.fixture
def desk(client: PortalClient, trusted: HostileProvider) -> PortalClient:
    """The browser of an administrator of the whole force."""
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    sign_in(client, "D9001", path="/sign-in?next=/account")
    return client


def test_the_list_shows_who_is_linked_and_who_was_refused(
    desk: PortalClient, trusted: HostileProvider
) -> None:
    enter(another(desk.application), trusted)
    trusted.claims = {"sub": "eve", "employee_id": "X<b>1"}
    enter_page(another(desk.application), trusted)
    trusted.claims = {"sub": "mallory", "employee_id": "D1001"}
    enter_page(another(desk.application), trusted)

    page = desk.page(LIST)

    assert page.h1 == "Sign-in with your Westshire account"
    rows = [[cell.text or "" for cell in row] for row in page.all("tr")]
    assert len(rows) == 2 + 2 + 1  # two heads, two refusals, one link
    assert "X<b>1 Nobody found Nobody in the roster has this number." in page.text
    assert "D1001 Shah, Priya Signs in with another account." in page.text
    assert page.links["Shah, Priya"] == "/people/D1001/account"
    assert desk.page("/people/accounts").links["Sign-ins that were not let in"] == LIST


def test_removing_a_link_signs_out_and_lets_another_account_be_linked(
    desk: PortalClient, trusted: HostileProvider
) -> None:
    theirs = another(desk.application)
    enter(theirs, trusted)
    page = desk.page("/people/D1001/account")
    assert "Linked at" in page.text

    page = desk.press(page, "Remove the link")

    assert "Not linked yet" in page.text
    assert not signed_in(theirs)
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "account.identity_removed")
    ).one()
    assert event.actor_id != event.subject_id
    trusted.claims = {"sub": "new-account"}
    assert enter(theirs, trusted).status_code == 303
    assert db.session.scalars(select(ProviderIdentity.subject)).all() == ["new-account"]


def test_a_unit_administrator_sees_their_unit_alone(client: PortalClient, trusted: HostileProvider) -> None:
    here = make_unit("Here")
    make_grant(make_account("D9002", unit=here), Role.ADMINISTRATOR, here)
    make_account("D1002", unit=here)
    for subject, number in (("jo", "D1001"), ("bo", "D1002"), ("eve", "D9999")):
        trusted.claims = {"sub": subject, "employee_id": number}
        enter(another(client.application), trusted)
    sign_in(client, "D9002", path="/sign-in?next=/account")

    text = client.page(LIST).text

    assert "D1002" in text
    assert "D1001" not in text
    assert "D9999" not in text  # nobody can say whose number it is
    client.page("/people/D1001/account", 404)
    answer = client.post("/people/D1001/account/identity/remove", data={"csrf_token": token(client)})
    assert answer.status_code == 404
    assert len(db.session.scalars(select(ProviderIdentity)).all()) == 2


def token(client: PortalClient) -> str:
    """The token of this browser's forms."""
    return client.page("/account").all("input", name="csrf_token")[0].get("value") or ""


def test_a_person_without_a_link_has_none_to_remove(desk: PortalClient, trusted: HostileProvider) -> None:
    answer = desk.post("/people/D1001/account/identity/remove", data={"csrf_token": token(desk)})

    assert answer.status_code == 404


def test_without_a_provider_there_is_no_list(client: PortalClient) -> None:
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    sign_in(client, "D9001", path="/sign-in?next=/account")

    client.page(LIST, 404)
    assert "Remove the link" not in client.page("/people/D9001/account").text
