"""What the tests of second factors share: the setting, and walks through their pages."""

import html
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.domain.accounts.factors.making import SoftAuthenticator
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import sign_in

GROUPED = re.compile(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})")


def set_factor(app: Flask, monkeypatch: pytest.MonkeyPatch, second_factor: str, **more: Any) -> None:
    """Set ``SECOND_FACTOR``, and further settings."""
    settings = replace(app.config["PORTAL"], second_factor=second_factor, **more)
    monkeypatch.setitem(app.config, "PORTAL", settings)


def key_on(page: Page) -> str:
    """The key that the page shows to be typed into an app."""
    found = GROUPED.search(page.text)
    assert found, page.text
    return found[1].replace(" ", "")


def options_on(page: Page) -> dict[str, Any]:
    """What the page asks the browser's passkeys for."""
    found = re.search(r'data-options="([^"]*)"', page.html)
    assert found, page.text
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def answer(
    client: PortalClient, page: Page, answered: str, button: str, status: int = 200, **more: str
) -> Page:
    """Send what the page's script would: the passkey's answer."""
    return client.press(page, button, status, passkey=answered, **more)


def add_passkey(client: PortalClient, device: SoftAuthenticator, label: str = "Laptop") -> Page:
    """Add a passkey to the account that is signed in."""
    page = client.page("/account/factors/passkeys")
    return answer(client, page, device.create(options_on(page)), "Add a passkey", label=label)


def pass_password(client: PortalClient, name: str = "D1001", next_page: str = "/account") -> Page:
    """Enter the right password; the page that asks for the second factor."""
    page = sign_in(client, name, path=f"/sign-in?next={next_page}")
    assert page.h1 == "Confirm that it is you", page.text
    return page
