"""People of the demo who ask the application itself, at one instant and with the same luck each time."""

import io
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine
from flask import Flask

from benchmarks.browser import FORM, Answer, form_fields
from config import Config
from portal.domain.accounts import passwords
from portal.platform.db import db
from tests.databases import forget_published_content, portal_on
from tests.hostile.learners import Acknowledged, Content, Learner
from tests.limits import reset_limits
from tests.pages.monitoring.counting import statements
from tests.running import PASSWORD

PEOPLE, SEED = 60, 5
INSTANT = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
chance = random.Random(5)
_asked: Counter[str] = Counter()


def draw_anew(request: str) -> None:
    """Begin with the draws of this request, so that one draw more or less changes no other request's."""
    _asked[request] += 1
    chance.seed(f"{request} {_asked[request]}")


@contextmanager
def fixed_chance() -> Iterator[None]:
    """The clock stands still, and what is drawn at random is drawn the same each time."""

    def draw_bytes(count: int) -> bytes:
        return chance.randbytes(count)

    draws = mock.patch.object(os, "urandom", draw_bytes), mock.patch.object(random, "_urandom", draw_bytes)
    cheap = mock.patch.multiple(passwords, PASSES=1, KIBIBYTES=8)
    with time_machine.travel(INSTANT, tick=False), draws[0], draws[1], cheap:
        passwords._dummy_hash.cache_clear()
        yield


@contextmanager
def portal_at(instance: Path, features: str = "all") -> Iterator[Flask]:
    """The portal on the database of this folder, at the instant and with the luck of the record."""
    config = Config(
        mode="demo", secret_key="k" * 64, instance=instance, demo_password=PASSWORD,
        smtp_host="127.0.0.1", smtp_tls="none", smtp_from="Portal <portal@westshire.example>",
        line_manager_sight="off", jobs="separate", features=features,
    )  # fmt: skip
    with fixed_chance(), portal_on(config) as app, app.app_context():
        watch = app.extensions["schema_watch"]
        watch.current_seconds = 24 * 60 * 60  # a look would be counted among the statements of a page
        forget_published_content()
        yield app


def run(app: Flask, *words: str) -> str:
    """Run a command as it is typed; what it printed."""
    draw_anew(" ".join(words))
    done = app.test_cli_runner().invoke(args=words)
    assert done.exit_code == 0, (words, done.output, done.exception)
    return str(done.output)


class Visitor(Learner):
    """A person with a browser; of each request the statements are counted."""

    def __init__(self, app: Flask, instance: Path, name: str) -> None:
        super().__init__(0, Content(instance), Acknowledged(), mock.MagicMock())
        self.client, self.app, self.statements, self.name = app.test_client(), app, 0, name

    def _send(self, method: str, path: str, body: bytes) -> Answer:
        response = self.open(method, path, body)
        return Answer(path, response.status_code, response.location or "", response.data)

    def open(self, method: str, path: str, body: Any = b"", kind: str = "", **headers: str) -> Any:
        """One request, and its response with all of its content."""
        reset_limits()
        draw_anew(f"{self.name} {method} {path}")
        form = "application/x-www-form-urlencoded" if method == "POST" else None
        db.session.rollback()
        with statements() as counted, self.app.app_context():
            response = self.client.open(
                path, method=method, data=body or None, headers=headers, content_type=kind or form
            )
            content = response.get_data()
        self.statements = len(counted)
        db.session.rollback()
        response.close()
        response.set_data(content)
        return response

    def send_file(self, path: str, name: str, content: bytes, **fields: str) -> Answer:
        """Send the form of a page with a file, the first of all choices taken, and follow to its page."""
        inside = next(inside for _, inside in FORM.findall(self.page(path).text) if 'type="file"' in inside)
        data = {**form_fields(inside, "Continue"), **fields, "file": (io.BytesIO(content), name)}
        response = self.open("POST", path, data, "multipart/form-data")
        return self.follow(Answer(path, response.status_code, response.location or "", response.data))


def signed_in(app: Flask, instance: Path, number: str) -> Visitor:
    """A browser in which this person is signed in."""
    visitor = Visitor(app, instance, number)
    visitor.sign_in(number, PASSWORD)
    return visitor
