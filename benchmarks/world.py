"""The force that is measured: made by the product's own commands, served by its own server."""

import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.browser import Browser
from benchmarks.multiply import multiply
from benchmarks.serving import ROOT, Server, environment, free_port, serving
from config import Config
from portal.app import create_app
from portal.domain.status import tasks
from portal.platform.db import db, transaction

EIGHT = ("D1001", "D2001", "D2002", "D3001", "D3002", "D4001", "D5001", "D9001")
COPIES = 16
WHOLE_FORCE = "D4001"  # sees everyone
REPORT = "/monitoring/directives/OIC-2026"


def flask(instance: Path, *command: str, **more: str) -> tuple[float, str]:
    """Run a command of the portal, with ``more`` settings; the seconds it took and what it said.

    Raises:
        RuntimeError: It was refused; its reasons are in the text.
    """
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        cwd=ROOT,
        env={**environment(instance), **more},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return time.perf_counter() - begun, done.stdout


def execute(instance: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of one statement, in a commit of its own in the folder's SQLite file."""
    with closing(sqlite3.connect(instance / "portal.sqlite")) as database, database:
        return database.execute(statement, values).fetchall()


@dataclass(frozen=True, slots=True)
class World:
    """A running portal with its database."""

    instance: Path
    server: Server

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.instance / "portal.sqlite"

    @property
    def password(self) -> str:
        """The one password of the demo's accounts."""
        return (self.instance / "demo_password").read_text().strip()

    def browser(self, staff_number: str) -> Browser:
        """Someone signed in."""
        browser = Browser(self.server.port)
        browser.sign_in(staff_number, self.password)
        return browser


def modules() -> list[str]:
    """Slugs of the modules that the demo publishes."""
    return sorted(path.parent.name for path in (ROOT / "modules").glob("[a-z]*/module.toml"))


def lessons(slug: str) -> list[str]:
    """Names of a module's lessons in order."""
    listed: list[str] = tomllib.loads((ROOT / "modules" / slug / "module.toml").read_text())["lessons"]
    return listed


def texts(slug: str) -> list[str]:
    """Names of a module's lessons that are texts, not cases, in order."""
    return [key for key in lessons(slug) if (ROOT / "modules" / slug / "lessons" / f"{key}.md").exists()]


def build(instance: Path, people: int) -> float:
    """Make the fictional force, a part of it by the portal's command; the seconds it took."""
    begun = time.perf_counter()
    flask(instance, "db", "upgrade")
    flask(instance, "demo", "create", "--people", str(people // COPIES))
    multiply(instance / "portal.sqlite", COPIES)
    _sum_up(instance)
    return time.perf_counter() - begun


def _sum_up(instance: Path) -> None:
    """Let the portal count its kept sums anew, as ``directives reconcile`` does: the copies are in none."""
    app = create_app(Config(mode="demo", instance=instance, database_url=""))
    with app.app_context():
        with transaction():
            tasks.check_counts(True)
        db.engine.dispose()


@contextmanager
def world(people: int, made: Path | None) -> Iterator[World]:
    """The portal over a force of ``people``, or over a copy of the instance folder ``made`` earlier."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance = Path(folder) / "instance"
        if made:
            subprocess.run(["cp", "-r", str(made), str(instance)], check=True)
        else:
            instance.mkdir(mode=0o700)
            print(f"making a force of {people:,} people took {build(instance, people):.0f} s", flush=True)
        port = free_port()
        with serving(["serve.py"], environment(instance, port), port) as server:
            yield World(instance, server)
