"""Whoever waits in vain for another's change is told so in a sentence, and nothing is changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.platform import db as database_module
from portal.platform import engines, write_lock
from portal.platform.db import Stamp, db
from tests.domain.imports.rosters import row, write_csv
from tests.page_reading import Page, PortalClient

SENTENCE = "The portal is busy: another change holds the database. Nothing was changed."


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_lock, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(engines, "LOCK_TIMEOUT", "200ms")


@pytest.fixture
def impatient(_no_patience: None, serving: Flask) -> Flask:
    """A portal of its own, whose writers wait for a moment only."""
    return serving


@contextmanager
def held(app: Flask) -> Iterator[None]:
    """Another process in the middle of recording facts."""
    config = app.config["PORTAL"]
    if config.database_url:
        with psycopg.connect(config.database_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(7241001)")
            yield
            other.rollback()
    else:
        with closing(sqlite3.connect(config.instance / "portal.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


def stamps() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Stamp)) or 0


@pytest.mark.slow
def test_a_command_says_so_and_ends_with_1(impatient: Flask, tmp_path: Path) -> None:
    roster = str(write_csv(tmp_path / "roster.csv", [row()]))
    before = stamps()
    with held(impatient):
        refused = impatient.test_cli_runner().invoke(args=["people", "import", roster])

    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    assert SENTENCE in refused.stderr
    assert stamps() == before
    taken = impatient.test_cli_runner().invoke(args=["people", "import", roster])
    assert taken.exit_code == 0, taken.output
    assert stamps() == before + 1


@pytest.mark.slow
def test_a_page_says_so_as_a_server_that_is_busy(impatient: Flask) -> None:
    impatient.add_url_rule("/write", "write", _write)
    with held(impatient):
        answer = PortalClient(impatient).get("/write")

    assert answer.status_code == 503
    assert SENTENCE in Page(answer, "/write").text


def _write() -> str:
    with database_module.transaction():
        database_module.stamp()
    return "written"
