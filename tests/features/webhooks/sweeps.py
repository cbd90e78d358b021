"""Webhooks in the tests over all pages, acts and commands."""

from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from playwright.sync_api import Browser

from tests.journeys.visiting import ADMINISTRATOR, Place
from tests.journeys.walking import follow, press, sign_in, visitor
from tests.pages.access.shown import NOBODY
from tests.running import Server

_HOOK = "/webhooks/{webhook}"
_RECEIVER = "http://127.0.0.1:9999/a/path"  # which is not there, so that a message waits

PLACES = {
    "webhooks.list_webhooks": Place(("/webhooks",), ADMINISTRATOR),
    "webhooks.add_webhook": Place(("/webhooks/new",), ADMINISTRATOR),
    "webhooks.show_webhook": Place((_HOOK, f"{_HOOK}?state=failed", f"{_HOOK}?state=x"), ADMINISTRATOR),
    "webhooks.edit_webhook": Place((f"{_HOOK}/edit",), ADMINISTRATOR),
    "webhooks.replace_secret": Place((f"{_HOOK}/secret",), ADMINISTRATOR),
    "webhooks.remove_webhook": Place((f"{_HOOK}/remove",), ADMINISTRATOR),
}
RECENT = {
    "webhooks.add_webhook",
    "webhooks.edit_webhook",
    "webhooks.replace_secret",
    "webhooks.resume_restored",
    "webhooks.resume_webhook",
}
ROUTES = dict.fromkeys(
    {*PLACES, *RECENT, "webhooks.pause_webhook", "webhooks.send_test_event", "webhooks.send_again"}, NOBODY
)
ADDRESSES = {"webhooks.": {"reference": UUID(int=0)}}
WITHOUT_ENTRY = {"webhooks list": "reads"}
COMPUTED = {
    "'webhook.gone' if reason is PauseReason.GONE else 'webhook.paused'": {"webhook.gone", "webhook.paused"},
}


def make_by_pages(browser: Browser, server: Server) -> dict[str, str]:
    """A webhook with a test event that waits."""
    with visitor(browser, server) as tab:
        sign_in(tab, ADMINISTRATOR)
        tab.goto("/webhooks/new")
        tab.fill("#name", "HR system")
        tab.fill("#address", f"{_RECEIVER}/that/is/longer/than/a/phone/is/wide")
        press(tab, "Save")
        follow(tab, "Continue")
        press(tab, "Send a test event")
        return {"webhook": tab.url.split("/")[-1]}


def make_states(app: Flask, instance: Path, sign_in: Any) -> dict[str, str]:
    """A webhook with a message that waits."""
    administrator = sign_in(ADMINISTRATOR)
    page = administrator.page("/webhooks/new")
    page = administrator.press(page, "Save", name="HR system", address=_RECEIVER)
    webhook = page.text.partition("/webhooks/")[2][:36]
    administrator.press(administrator.page(f"/webhooks/{webhook}"), "Send a test event")
    return {"webhook": str(UUID(webhook))}


MAKE_BY_PAGES = (make_by_pages,)
MAKE_STATES = (make_states,)
