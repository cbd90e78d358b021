"""Where to report a weakness is a setting, served as RFC 9116 asks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from config import Config, ConfigError
from tests.page_reading import PortalClient

ADDRESS = "/.well-known/security.txt"
SetContact = Callable[[str], None]


@pytest.fixture
def set_contact(app: Flask, monkeypatch: pytest.MonkeyPatch) -> SetContact:
    def set_to(contact: str) -> None:
        settings = replace(app.config["PORTAL"], security_contact=contact, public_url="https://learn.example")
        monkeypatch.setitem(app.config, "PORTAL", settings)

    return set_to


@pytest.mark.parametrize("contact", ["mailto:security@westshire.example", "https://westshire.example/report"])
def test_it_names_the_contact_and_a_day_less_than_a_year_ahead(
    client: PortalClient, set_contact: SetContact, contact: str
) -> None:
    set_contact(contact)

    answer = client.get(ADDRESS)

    fields = dict(line.split(": ", 1) for line in answer.get_data(as_text=True).splitlines())
    expires = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert fields["Contact"] == contact
    assert fields["Canonical"] == f"https://learn.example{ADDRESS}"
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)


def test_without_a_contact_there_is_no_such_page(client: PortalClient) -> None:
    assert client.get(ADDRESS).status_code == 404


@pytest.mark.parametrize(
    "contact",
    ["security@westshire.example", "http://westshire.example", "https://", "mailto:x@y\nContact: mailto:z@z"],
    ids=["no scheme", "no TLS", "no host", "two lines"],
)
def test_what_is_no_contact_stops_the_start(tmp_path: Path, contact: str) -> None:
    with pytest.raises(ConfigError, match="SECURITY_CONTACT is mailto:"):
        Config(mode="demo", secret_key="k" * 32, instance=tmp_path, security_contact=contact)
