"""A relay of the tests' own that the portal's settings name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flask import Flask

from tests.domain.reminders.post_office import Office, open_office


@contextmanager
def set_office(app: Flask, **more: object) -> Iterator[Office]:
    """The relay is open and named while this lasts; ``more`` are other settings."""
    before = app.config["PORTAL"]
    with open_office() as opened:
        given: dict[str, object] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": opened.port,
            "smtp_tls": "none",
            "smtp_from": "Learning portal <learning@westshire.example>",
            "smtp_per_minute": 60_000,
            "smtp_seconds": 2,
            **more,
        }
        app.config["PORTAL"] = replace(before, **given)
        try:
            yield opened
        finally:
            app.config["PORTAL"] = before
