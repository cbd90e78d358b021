"""Which statements a page sends to the database: captured once, repeated by the floors."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from benchmarks.browser import FORM, credentials, form_fields
from config import Config
from portal.app import create_app
from portal.platform.db import db

NOT_READS = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK|PRAGMA|SAVEPOINT|RELEASE)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reads:
    """The statements of one page and the page itself."""

    statements: list[tuple[str, Any]]
    body: bytes
    seconds: list[float] = field(default_factory=list)  # of each, until its rows are there to fetch

    def save(self, file: Path, **more: str) -> None:
        """Keep them for another process."""
        text = json.dumps({"statements": self.statements, "body": self.body.decode(), **more}, default=str)
        file.write_text(text, encoding="utf-8")


def reads_of(instance: Path, staff_number: str, password: str, path: str) -> Reads:
    """Ask for ``path`` in this process, signed in, twice; what the second asking sent."""
    config = Config(mode="demo", instance=instance, database_url="")
    with reader(config, staff_number, password) as read:
        return read(path)


@contextmanager
def reader(
    config: Config, staff_number: str, password: str, *, times: int = 2
) -> Iterator[Callable[[str], Reads]]:
    """What asks for a path in this process, signed in, and tells what the last of ``times`` askings sent."""
    app = create_app(config)
    client = signed_in(app, staff_number, password)

    def read(path: str) -> Reads:
        for _ in range(times - 1):
            _body(client, path)
        with _captured(app) as (statements, seconds):
            body = _body(client, path)
        return Reads(statements, body, seconds)

    try:
        yield read
    finally:
        with app.app_context():
            db.engine.dispose()


def by_client(database: Path, statements: list[tuple[str, Any]]) -> int:
    """Send the statements through SQLite's own client, fetching every row; how many rows came."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("BEGIN")
        return sum(len(connection.execute(*statement).fetchall()) for statement in statements)
    finally:
        connection.close()


def signed_in(app: Flask, staff_number: str, password: str) -> FlaskClient:
    """Somebody in this process."""
    client = app.test_client()
    html = client.get("/sign-in").get_data(as_text=True)
    inside = next(inside for _, inside in FORM.findall(html) if "Sign in" in inside)
    data = {**form_fields(inside, "Sign in"), **credentials(html, staff_number, password)}
    answer = client.post("/sign-in", data=data)
    if answer.status_code not in (302, 303):
        raise RuntimeError(f"{staff_number} could not sign in: {answer.status_code}")
    return client


def _body(client: FlaskClient, path: str) -> bytes:
    answer = client.get(path, buffered=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return answer.get_data()


@contextmanager
def _captured(app: Flask) -> Iterator[tuple[list[tuple[str, Any]], list[float]]]:
    found: list[tuple[str, Any]] = []
    seconds: list[float] = []
    begun = [0.0]

    def before(*_: Any) -> None:
        begun[0] = time.perf_counter()

    def after(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not NOT_READS.match(statement):
            found.append((statement, parameters))
            seconds.append(time.perf_counter() - begun[0])

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield found, seconds
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)
