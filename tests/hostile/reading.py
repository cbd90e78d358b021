"""A portal of a test's own, in which one person may open every page, and databases that take no change."""

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, update

from config import Config
from portal.app import create_app
from portal.domain.accounts.models import SignInSession
from portal.domain.imports.columns import suggest_mapping
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Upload, begin_import
from portal.domain.people.models import Unit
from portal.domain.people.queries import person_by_staff_number
from portal.domain.reports import completion_files
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from portal.platform.tables.table_files import open_sheet
from tests.conftest import SECRET
from tests.databases import forget_published_content
from tests.factories.people import make_grant
from tests.hostile.desk_to_read import ROOMS, address_in_desk, fill_desk
from tests.page_reading import PortalClient
from tests.pages.access.world import address_of, make_world
from tests.pages.account.browsing import let_in
from tests.pages.monitoring.preparing import run_jobs

ROSTER = b"staff_number,surname\nD1,Smith\n"
OLD = "old.csv"
WORKBOOK = "/monitoring/directives/OIC-2026/completions.xlsx"


def portal_at(folder: Path, url: str = "") -> Flask:
    """The application on a database."""
    app = create_app(Config(mode="demo", database_url=url, secret_key=SECRET, instance=folder))
    app.config["TESTING"] = True
    return app


def fill(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, bool]]:
    """People, drafts, records, files, imports, the desk and returns; every address that can be read.

    Returns:
        The endpoint of each address, and whether it is about the reader.
    """
    forget_published_content()
    world = make_world("nobody")
    viewer = person_by_staff_number("V1")
    assert viewer
    for role in Role:
        make_grant(viewer, role)
    client = signed_in(app)
    with monkeypatch.context() as patch:
        patch.setattr(completion_files, "XLSX_ROWS", 0)
        prepared = client.get(WORKBOOK).location
    run_jobs(app)
    sheet = open_sheet(ROSTER, "roster.csv")
    with transaction():
        brought = Upload("roster", "roster.csv", ROSTER, sheet, suggest_mapping(sheet.columns, "post", []))
        begin_import(brought, by=viewer, at=clock.now())  # which let_time_pass lets wait for too long
        db.session.execute(update(ImportRun).values(file_name=OLD))
        run = begin_import(brought, by=viewer, at=clock.now()).id
    other, unit = person_by_staff_number("SEEN"), db.session.scalars(select(Unit.id)).first()
    assert other
    assert unit
    names = fill_desk(app, client, viewer, other, unit)
    made = {
        "monitoring.show_file": prepared,
        "monitoring.download_file": f"{prepared}/download",
        "imports.show_check": f"/imports/{run}",
        "imports.match_columns": f"/imports/{run}/columns",
        "imports.download_bad_rows": f"/imports/{run}/bad-rows.csv",
    }
    addresses: dict[str, tuple[str, bool]] = {}
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()):
            for name in ("own", "seen"):
                is_of_desk = rule.endpoint.startswith(ROOMS)
                address = made.get(rule.endpoint) or (
                    address_in_desk(app, rule, names)
                    if is_of_desk
                    else address_of(app, rule, world.subjects[name])
                )
                addresses.setdefault(address, (rule.endpoint, name == "own"))
    return addresses


def signed_in(app: Flask) -> PortalClient:
    """A browser of the one who may open every page."""
    client = PortalClient(app)
    let_in(client, "V1")
    return client


def let_time_pass(app: Flask) -> None:
    """Sessions were seen minutes ago, and an import has waited for a month: both are written down next."""
    with app.app_context(), transaction():
        now = clock.now()
        db.session.execute(update(SignInSession).values(seen_at=now - timedelta(minutes=5)))
        db.session.execute(
            update(ImportRun).where(ImportRun.file_name == OLD).values(began_at=now - timedelta(days=30))
        )


@contextmanager
def writer_that_never_ends(app: Flask) -> Iterator[None]:
    """Another process in the middle of recording facts."""
    config = app.config["PORTAL"]
    if config.database_url:
        with psycopg.connect(config.database_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(7241001)")
            other.execute("LOCK TABLE audit_event, sign_in_session IN EXCLUSIVE MODE")
            yield
            other.rollback()
    else:
        with closing(sqlite3.connect(config.instance / "portal.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can be written any more, which SQLite reports as a disk that fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def copied(template: Path, target: Path) -> Path:
    """The instance folder once more; nobody writes in the template."""
    return Path(shutil.copytree(template, target))
