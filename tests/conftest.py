"""The application on each database, one transaction a test, and a client that reads pages."""

import gc
import secrets
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import zxcvbn
from flask import Flask
from jinja2 import FileSystemBytecodeCache, Undefined
from playwright.sync_api import Browser

from portal.app import create_app
from portal.domain.accounts import passwords
from portal.platform.db import db
from tests.chromium import chromium
from tests.databases import (
    ON_BOTH,
    close_database,
    empty_portal,
    forget_published_content,
    migrate,
    portal_on,
)
from tests.engines import needed
from tests.examples import choose_profile
from tests.limits import reset_limits
from tests.logged import Log, written_to
from tests.page_reading import PortalClient
from tests.postgres import QUICK, Postgres
from tests.running import (
    Server,
    copied,
    folder_of_all_workers,
    fresh_database,
    make_force,
    once_for_all_workers,
)
from tests.workers import Together

pytest_plugins = ("tests.times", "tests.quick", "tests.reading_once")

SECRET = secrets.token_hex(32)

REAL_COSTS = passwords.PASSES, passwords.KIBIBYTES
LEAST_COSTS = 1, 8


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Share the tests out so that what is dear is made on one worker."""
    return Together(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples each property is tried on."""
    choose_profile(config)


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a second database shows nothing by, unless it is asked for by its name.

    What drives a browser, servers or processes is tried twice before it has failed (docs/decisions/tests.md).
    """
    for item in items:
        if item.get_closest_marker("sweep"):
            item.add_marker(pytest.mark.timeout(3600))
    if any("::" in asked for asked in config.args):
        return
    for item in items:
        if item.get_closest_marker("browser") or item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items[:], left = needed(items)
    if left:
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector leave alone what was loaded, as the server does: it would walk all of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def _hash_with(monkeypatch: pytest.MonkeyPatch, costs: tuple[int, int]) -> None:
    for name, cost in zip(("PASSES", "KIBIBYTES"), costs, strict=True):
        monkeypatch.setattr(passwords, name, cost)
    passwords._dummy_hash.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashing at next to no cost, in this process; ``real_passwords`` is for what tests the cost."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _hash_with(monkeypatch, LEAST_COSTS)
        judge = lru_cache(maxsize=2_000)(zxcvbn.zxcvbn)  # hundreds of tests set the same password
        monkeypatch.setattr(
            zxcvbn,
            "zxcvbn",
            lambda plain, user_inputs, max_length: judge(plain, tuple(user_inputs), max_length),
        )
        yield


@pytest.fixture
def real_passwords() -> Iterator[None]:
    """Hashing as the portal does it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _hash_with(monkeypatch, REAL_COSTS)
        yield
    passwords._dummy_hash.cache_clear()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of this worker's own."""
    server = Postgres(QUICK)
    try:
        yield server.address
    finally:
        server.end()


class RefusedWhenPrinted(Undefined):
    """A name that nobody gave to a template: it may be asked about, and printing it is a fault."""

    __str__ = Undefined._fail_with_undefined_error


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder with an empty database, for all workers; never used itself, only copied."""
    return once_for_all_workers(tmp_path_factory.getbasetemp(), "migrated", migrate)


@pytest.fixture(scope="session")
def migrated_template(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an empty database of this worker's server; never used itself, only copied."""
    migrate(tmp_path_factory.mktemp("migrated"), fresh_database(postgresql, "migrated"))
    return "migrated"


@pytest.fixture(scope="session", params=ON_BOTH)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a database built by migration."""
    config = empty_portal(request, tmp_path_factory.mktemp("app") / "instance", "portal")
    made = create_app(replace(config, secret_key=SECRET, line_manager_sight="off"))  # as in production
    made.config["TESTING"] = True
    with made.app_context():
        # Tests ask more statements than an engine keeps: most would be compiled again each time.
        db.engine.update_execution_options(compiled_cache={})
        watch = made.extensions["schema_watch"]
        watch.current_seconds = 24 * 60 * 60  # a look would be counted among the statements of a page
        watch.reason_to_wait()
    templates = folder_of_all_workers(tmp_path_factory.getbasetemp()) / "templates"  # compiled once for all
    templates.mkdir(exist_ok=True)
    made.jinja_env.undefined = RefusedWhenPrinted
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(templates))
    yield made
    with made.app_context():
        close_database()


@pytest.fixture
def database(app: Flask) -> Iterator[None]:
    """One test's transaction, rolled back at its end, in an application context."""
    with app.app_context():
        reset_limits()
        forget_published_content()  # what a test publishes is rolled back
        engines = db.engines
        engine = engines[None]
        connection = engine.connect()
        outer = connection.begin()
        db._app_engines[app][None] = connection
        try:
            yield
        finally:
            db._app_engines[app][None] = engine  # first: a fault below must not reach the tests that follow
            db.session.remove()
            outer.rollback()
            connection.close()


@pytest.fixture(params=ON_BOTH)
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database of a test's own, nothing rolled back, in an application context."""
    with portal_on(empty_portal(request, tmp_path / "instance")) as app, app.app_context():
        app.config["TESTING"] = True
        forget_published_content()
        yield app
        forget_published_content()


@pytest.fixture
def client(app: Flask, database: None) -> PortalClient:
    """A browser that reads pages as a person does and refuses what no page may be."""
    return PortalClient(app)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """What the portal logs."""
    with written_to(tmp_path / "portal.log") as log:
        yield log


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, begun once: two drivers cannot run in one thread."""
    yield from chromium()


@pytest.fixture(scope="session")
def small_force(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder with a fictional force of 60, for all workers; never used itself, only copied."""
    return once_for_all_workers(tmp_path_factory.getbasetemp(), "force", make_force)


@pytest.fixture(scope="session")
def force_template(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with a fictional force of 20; never used itself, only copied."""
    address = fresh_database(postgresql, "force_template")
    make_force(tmp_path_factory.mktemp("template"), people=20, database_url=address)
    return "force_template"


@pytest.fixture
def server(small_force: Path, tmp_path: Path) -> Iterator[Server]:
    """A running server on a copy of the small force."""
    running = Server(copied(small_force, tmp_path / "instance")).start()
    try:
        yield running
    finally:
        running.kill()
