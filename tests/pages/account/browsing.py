"""What the tests of accounts share: people with passwords, and signing in as a browser does."""

from flask import Flask

from portal.domain.accounts import services
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import TOKEN, Page, PortalClient

FORM = "/people/D1005/account"
PASSWORD = "kettle orbit walnut"
OTHER = "lantern pebble sixteen"


def make_account(staff_number: str = "D1001", *, password: str = PASSWORD, unit: int | None = None) -> int:
    """A person with a post and a password; returns the id."""
    person = make_person(unit or make_unit(f"Unit of {staff_number}"), staff_number=staff_number)
    with transaction():
        services.set_password(person, password, clock.now())
    return person


def sign_in(
    client: PortalClient,
    name: str = "D1001",
    password: str = PASSWORD,
    *,
    path: str = "/sign-in",
    status: int = 200,
) -> Page:
    """Fill the sign-in page and press its button."""
    return client.press(client.page(path), "Sign in", status, name=name, password=password)


def make_administrator(staff_number: str = "D1001") -> int:
    """As ``make_account``, with the right to open every account; and D1005, whose account to open."""
    make_account("D1005")
    person = make_account(staff_number)
    make_grant(person, Role.ADMINISTRATOR)
    return person


def open_form(client: PortalClient) -> Page:
    """A page with a form that takes no secret, opened by D1001, who signs in here."""
    make_administrator()
    sign_in(client, path="/sign-in?next=/account")
    return client.page(FORM)


def send_form(
    client: PortalClient, page: Page, role: str = "publisher", *, status: int = 200, **more: str
) -> Page:
    """Send the form of that page."""
    return client.press(page, "Grant role", status, role=role, unit="", **more)


def let_in(client: PortalClient, name: str = "D1001", password: str = PASSWORD) -> None:
    """Sign in for what comes after: the forms are sent, but the page that they lead to is not read."""
    form = TOKEN.search(client.get("/sign-in").get_data(as_text=True))
    assert form
    sent = {"csrf_token": form[2], "name": name, "password": password}
    answer = client.post("/sign-in", data=sent)
    assert answer.status_code == 303, f"{name} may not sign in"


def signed_in(client: PortalClient) -> bool:
    """Whether the browser's next request is a signed-in person's."""
    return client.get("/account").status_code == 200


def another(app: Flask) -> PortalClient:
    """Another browser."""
    return PortalClient(app)
