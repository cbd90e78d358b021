"""How long sessions last and whom to ask are settings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from config import Config
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account, open_form, send_form, sign_in, signed_in

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def short(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """Ten minutes without a page, two hours at most; whom to ask in words of the force."""
    monkeypatch.setenv("SESSION_IDLE_MINUTES", "10")
    monkeypatch.setenv("SESSION_ABSOLUTE_HOURS", "2")
    monkeypatch.setenv("SIGN_IN_HELP", "Ring the training desk on 4242.")
    own = Config(mode="demo", secret_key=app.config["SECRET_KEY"], instance=tmp_path)
    monkeypatch.setitem(app.config, "PORTAL", own)
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def test_idle_and_absolute_limits_are_those_of_the_settings(
    client: PortalClient, short: time_machine.Traveller
) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    for _ in range(13):
        short.shift(timedelta(minutes=9))
        assert signed_in(client)
    short.shift(timedelta(minutes=3))  # two hours
    assert not signed_in(client)

    client.delete_cookie("portal")
    sign_in(client, path="/sign-in?next=/account")
    short.shift(timedelta(minutes=10))
    assert not signed_in(client)


def test_who_cannot_sign_in_reads_the_settings_words(
    client: PortalClient, short: time_machine.Traveller
) -> None:
    assert "Ring the training desk on 4242." in client.page("/sign-in/help").text


def test_unless_set_an_hour_and_twelve_hours(tmp_path: Path) -> None:
    config = Config(mode="demo", secret_key="k" * 32, instance=tmp_path)

    assert (config.idle_minutes, config.absolute_hours) == (60, 12)


def test_the_cookies_page_names_every_cookie_that_is_set(client: PortalClient) -> None:
    with time_machine.travel(START, tick=False) as frozen:
        form = open_form(client)
        frozen.shift(timedelta(hours=2))
        send_form(client, form)
        names = {cookie.key for cookie in client._cookies.values()}

    told = {cell.text for row in client.page("/cookies").all("tr") for cell in row[:1]} - {"Name"}

    assert told == names == {"portal", "portal-browser", "portal-form", "portal-kept"}
