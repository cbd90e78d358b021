"""Grants and units in a browser: given as proposed, ended as they fit no more; a unit renamed."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from portal.platform import clock
from portal.platform.wording import date as day_words
from tests.journeys.walking import (
    ON_A_DESK_AND_A_PHONE,
    ask,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    sign_in,
    visitor,
)
from tests.running import PASSWORD, Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def a_manager(server: Server) -> tuple[str, str]:
    """The staff number and surname of a line manager with a post, people and no grant."""
    rows = ask(
        server.instance,
        "SELECT n.staff_number, n.surname FROM person_name n JOIN post p ON p.line_manager_id = n.person_id"
        " JOIN post own ON own.person_id = n.person_id"
        " WHERE p.valid_to > '2100-01-01' AND own.valid_to > '2100-01-01' AND NOT p.void AND NOT own.void"
        " AND NOT EXISTS (SELECT 1 FROM post r WHERE r.replaces_id IN (p.id, own.id))"
        " AND n.person_id NOT IN (SELECT person_id FROM role_grant) ORDER BY 1",
    )
    return rows[0]


def set_password(tab: Tab, server: Server, staff_number: str) -> None:
    """A password for one who has none, from a link."""
    made = command(settings(server.instance, server.port), "accounts", "invite", staff_number)
    tab.goto(made.stdout.strip())
    tab.fill("#password", PASSWORD)
    press(tab, "Set password")


@ON_A_DESK_AND_A_PHONE
def test_a_manager_is_given_what_is_proposed_and_sees_the_team(
    browser: Browser, shared_server: Server, width: int, scripts: bool
) -> None:
    number, surname = a_manager(shared_server)
    options = {} if scripts else {"java_script_enabled": False}
    with (
        visitor(browser, shared_server, width, **options) as admin,
        visitor(browser, shared_server, width, **options) as manager,
    ):
        set_password(manager, shared_server, number)
        sign_in(manager, number)
        manager.goto("/people")
        assert "may not" in manager.inner_text("main").lower() or manager.locator("tbody tr").count() == 0

        sign_in(admin, "D9001")
        admin.goto("/people")
        go(admin, "nav a:text-is('Roles')")
        hold_to_account(admin)
        follow(admin, "Managers proposed from line management")
        hold_to_account(admin)
        before = h1(admin)
        for box in admin.locator("input[name=give]").all():
            box.set_checked(box.get_attribute("value") == number, force=True)
        press(admin, "Continue with those selected")
        assert h1(admin) == "Give 1 grant"
        assert surname in admin.inner_text("main table")
        hold_to_account(admin)
        press(admin, "Give 1 grant")
        assert "1 grant given" in admin.inner_text("main")
        assert h1(admin) != before
        hold_to_account(admin)

        sign_in(manager, number)
        manager.goto("/people")
        assert manager.locator("main tbody tr").count() > 1
        hold_to_account(manager)

        admin.goto("/grants/review")
        assert surname not in admin.inner_text("main")


@pytest.mark.sweep
def test_what_fits_no_post_any_more_is_ended(browser: Browser, shared_server: Server) -> None:
    environment = settings(shared_server.instance, shared_server.port)
    elsewhere = "Westshire Police/Headquarters"
    assert command(environment, "people", "grant", "D2002", "manager", "--unit", elsewhere).returncode == 0
    with visitor(browser, shared_server, 320) as admin:
        sign_in(admin, "D9001")
        admin.goto("/grants/review")
        hold_to_account(admin)
        row = admin.locator("tbody tr", has_text="Hale")
        assert "The post is now elsewhere" in row.inner_text()
        row.locator("input").check(force=True)
        press(admin, "Continue with those selected")
        assert h1(admin) == "End 1 grant"
        hold_to_account(admin)
        press(admin, "End 1 grant")
        assert "1 grant ended." in admin.inner_text("main")
        hold_to_account(admin)
        admin.goto("/grants?q=D2002&state=ended")
        assert "Ghosh" in admin.inner_text("tbody")
        hold_to_account(admin)


@pytest.mark.sweep
def test_a_unit_has_another_name_from_a_day_and_the_old_one_before(
    browser: Browser, shared_server: Server
) -> None:
    old, new, today = "Custody", "Detention", clock.today()
    with visitor(browser, shared_server, 320) as admin:
        sign_in(admin, "D9001")
        admin.goto("/units?q=" + old)
        go(admin, f"tbody a:text-is('{old}')")
        hold_to_account(admin)
        follow(admin, f"Rename {old}")
        press(admin, "Continue")
        assert admin.title().startswith("Error: ")
        hold_to_account(admin)
        admin.fill("#name", new)
        admin.fill("#on", day_words(today))
        press(admin, "Continue")
        assert h1(admin) == f"Rename {old} from {day_words(today)}"
        hold_to_account(admin)
        press(admin, f"Rename {old}")
        assert h1(admin) == new
        assert old in admin.inner_text("main table >> nth=-1")
        hold_to_account(admin)
        for day, name in ((today, new), (today - timedelta(days=1), old)):
            admin.goto(f"/monitoring/directives/OIC-2026?as_at={day.isoformat()}")
            assert admin.locator(f"#unit option:has-text('{name}')").count() >= 1
            assert admin.locator(f"#unit option:text-is('– – {old if name == new else new}')").count() == 0
