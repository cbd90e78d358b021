"""Getting in without single sign-on, in a browser: by mail, on paper, and after a forgotten password."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.domain.reminders.post_office import Office, open_office
from tests.journeys.posting import mail_settings
from tests.journeys.walking import (
    ON_A_DESK_AND_A_PHONE,
    fill_sign_in,
    follow,
    go,
    h1,
    hold_to_account,
    press,
    sign_in,
    visitor,
)
from tests.running import PASSWORD, Server, command, copied, settings
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LINK = re.compile(r"http://\S+/set-password/[\w-]{43}")
UNIT = "Westshire Police/Response/Response North"
NEW = "kettle orbit walnut"


@pytest.fixture
def office() -> Iterator[Office]:
    """A relay."""
    with open_office() as opened:
        yield opened


@pytest.fixture
def server(small_force: Path, tmp_path: Path, office: Office) -> Iterator[Server]:
    """A portal that sends mail at any hour."""
    started = Server(copied(small_force, tmp_path / "instance"), more=mail_settings(office))
    try:
        yield started.start()
    finally:
        started.kill()


def wait_for_link(office: Office, subject: str, address: str = "") -> tuple[str, str]:
    """The address and the link of the newest mail with this subject, once it has come."""

    def links() -> list[tuple[str, str]]:
        bodies = [(to, mail, mail.get_body(("plain",))) for to, mail in office.taken if address in to]
        return [
            (to, LINK.findall(body.get_content())[0])
            for to, mail, body in bodies
            if mail["Subject"] == subject and body is not None
        ]

    until(links)
    return links()[-1]


def set_password_and_sign_in(tab: Tab, link: str, name: str, password: str) -> None:
    tab.goto(link)
    assert h1(tab) == "Set your password"
    hold_to_account(tab)
    tab.fill("#password", password)
    press(tab, "Set password")
    fill_sign_in(tab, name, password)
    tab.goto("/account")
    assert h1(tab) == "Your account"


@ON_A_DESK_AND_A_PHONE
def test_people_are_invited_by_mail_and_one_of_them_forgets_the_password(
    browser: Browser, server: Server, office: Office, width: int, scripts: bool
) -> None:
    options = {} if scripts else {"java_script_enabled": False}
    with (
        visitor(browser, server, width, **options) as admin,
        visitor(browser, server, width, **options) as newcomer,
    ):
        sign_in(admin, "D9001")
        admin.goto("/people")
        go(admin, "nav a:text-is('Invitations')")
        admin.locator("summary:has-text('Filter')").click()
        admin.fill("#unit", UNIT)
        press(admin, "Apply filters")
        hold_to_account(admin)
        press(admin, "Invite ")
        hold_to_account(admin)
        address, link = wait_for_link(office, "Set your password for the learning portal")
        set_password_and_sign_in(newcomer, link, address, NEW)
        assert newcomer.goto(link).status == 404  # type: ignore[union-attr]

        admin.goto("/people/invitations?outcome=account")
        assert "Used at" in admin.inner_text("main")
        admin.goto(f"/people/invitations?unit={UNIT}&outcome=invited")
        hold_to_account(admin)

        newcomer.context.clear_cookies()
        newcomer.goto("/sign-in")
        follow(newcomer, "I cannot sign in")
        newcomer.fill("#name", address)
        press(newcomer, "Send me a link")
        assert h1(newcomer) == "Check your email"
        hold_to_account(newcomer)
        sent = command(settings(server.instance, server.port) | server.more, "reminders", "send")
        assert sent.returncode == 0, sent.stderr
        _, link = wait_for_link(office, "A link to set a new password", address)
        set_password_and_sign_in(newcomer, link, address, PASSWORD)


@pytest.mark.sweep
@ON_A_DESK_AND_A_PHONE
def test_a_card_on_paper_lets_its_person_in(
    browser: Browser, server: Server, width: int, scripts: bool
) -> None:
    options = {} if scripts else {"java_script_enabled": False}
    with (
        visitor(browser, server, width, **options) as admin,
        visitor(browser, server, width, **options) as newcomer,
    ):
        sign_in(admin, "D9001")
        admin.goto("/people/invitations/print")
        admin.fill("#unit", UNIT)
        admin.select_option("#who", "all")
        press(admin, "Show who gets a card")
        hold_to_account(admin)
        press(admin, "Make ")
        hold_to_account(admin)
        card = admin.locator(".portal-handout").first
        number = card.locator("p").first.inner_text().rpartition(" ")[2]
        link = card.locator(".portal-handout__link").inner_text()
        assert card.locator("svg[role=img] title").count() == 1
        set_password_and_sign_in(newcomer, link, number, NEW)

        admin.emulate_media(media="print")
        boxes = admin.locator(".portal-handout").evaluate_all(
            "cards => cards.map(c => getComputedStyle(c).breakInside)"
        )
        assert set(boxes) == {"avoid"}
        assert not any(bar.is_visible() for bar in admin.locator(".portal-navigation").all())
