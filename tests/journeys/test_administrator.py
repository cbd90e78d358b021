"""An administrator lets somebody in, grants a role, and closes the account."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.walking import (
    ask,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    send,
    sign_in,
    sign_in_afresh,
    token_in,
    visitor,
)
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NEW_PASSWORD = "lantern-orbit-walnut-quay"


def newcomer(server: Server) -> str:
    """The staff number of somebody with a post, no role and no password."""
    rows = ask(
        server.instance,
        "SELECT min(n.staff_number) FROM person_name n JOIN post p USING (person_id)"
        " WHERE p.valid_to > '2100-01-01' AND NOT p.void"
        " AND NOT EXISTS (SELECT 1 FROM post r WHERE r.replaces_id = p.id)"
        " AND person_id NOT IN (SELECT person_id FROM credential)"
        " AND person_id NOT IN (SELECT person_id FROM role_grant)",  # who runs events begins there
    )
    return str(rows[0][0])


def link_for(admin: Tab, someone: str) -> str:
    """A link to set a password, made as an administrator makes it."""
    sign_in(admin, "D9001")
    admin.goto(f"/people?q={someone}")
    go(admin, "main tbody a")
    follow(admin, "Account, roles and sign-in")
    press(admin, "Make a link to set a password")
    hold_to_account(admin)
    return admin.inner_text("#link")


@pytest.mark.sweep
def test_a_password_is_set_from_a_link(browser: Browser, shared_server: Server) -> None:
    someone = newcomer(shared_server)
    with visitor(browser, shared_server) as admin, visitor(browser, shared_server, 320) as tab:
        tab.goto(link_for(admin, someone))
        tab.fill("#password", "password")
        press(tab, "Set password")
        assert tab.title().startswith("Error: ")
        hold_to_account(tab)
        tab.fill("#password", NEW_PASSWORD)
        press(tab, "Set password")
        assert urlsplit(tab.url).path == "/sign-in"
        sign_in_afresh(tab, someone, NEW_PASSWORD)
        assert tab.url.endswith("/learning")


def test_from_a_link_to_a_closed_account(browser: Browser, shared_server: Server) -> None:
    someone = newcomer(shared_server)
    with visitor(browser, shared_server) as admin, visitor(browser, shared_server, 320) as tab:
        link = link_for(admin, someone)
        assert link.startswith(f"{shared_server.address}/set-password/")

        tab.goto(link)
        hold_to_account(tab)
        form_secret = token_in(tab.content())
        assert send(tab.context, link, form_secret, password=NEW_PASSWORD).endswith("/sign-in")
        sign_in_afresh(tab, someone, NEW_PASSWORD)
        assert tab.url.endswith("/learning")
        assert tab.locator("nav a:text-is('Monitoring')").count() == 0
        again = tab.context.request.get(link)
        assert again.status == 404

        admin.goto(f"/people/{someone}/account")
        admin.select_option("#role", "manager")
        admin.select_option("#unit", index=1)
        press(admin, "Grant role")
        assert "Role granted: Manager" in admin.inner_text("main")
        hold_to_account(admin)
        tab.goto("/monitoring")
        assert urlsplit(tab.url).path == "/sign-in"  # a change of role ends sessions
        sign_in_afresh(tab, someone, NEW_PASSWORD)
        tab.goto("/monitoring")
        assert tab.locator("nav a:text-is('Monitoring')").count() == 1

        follow(admin, "Close the account")
        hold_to_account(admin)
        press(admin, "Close the account")
        assert "The account is closed" in admin.inner_text("main")
        hold_to_account(admin)
        tab.reload()
        assert urlsplit(tab.url).path == "/sign-in"
        tab.fill("#name", someone)
        tab.fill("#password", NEW_PASSWORD)
        press(tab, "Sign in")
        assert tab.title().startswith("Error: ")
        assert h1(tab) == "Sign in"
