"""Applications on databases of a test's own, and their connections closed."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from config import Config
from portal.app import create_app
from portal.domain.cases import _shares_in
from portal.domain.catalogue import lesson_html, version_cache
from portal.domain.directives.applies import _keep_rule_history
from portal.platform.db import db
from tests.running import copied, fresh_database

ON_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]  # cases of a fixture


def migrate(instance: Path, database_url: str = "") -> None:
    """Build an empty database by every migration, which takes a second: tests copy it."""
    config = Config(
        mode="demo", database_url=database_url, secret_key=secrets.token_hex(32), instance=instance
    )
    with portal_on(config) as app, app.app_context():
        upgrade()


def empty_portal(request: pytest.FixtureRequest, instance: Path, name: str = "own") -> Config:
    """The settings of a portal on an empty database that is its own.

    Args:
        request: Of a fixture with ``ON_BOTH`` as its cases.
        instance: Where its folder is to be.
        name: Of its database on a server; one of the same name goes.
    """
    copied(request.getfixturevalue("migrated"), instance)
    url = ""
    if request.param == "postgresql":
        template = request.getfixturevalue("migrated_template")
        url = fresh_database(request.getfixturevalue("postgresql"), name, template)
    return Config(mode="demo", database_url=url, secret_key=secrets.token_hex(32), instance=instance)


@contextmanager
def portal_on(config: Config) -> Iterator[Flask]:
    """An application, whose every connection is closed however the block ends."""
    app = create_app(config)
    try:
        yield app
    finally:
        with app.app_context():
            close_database()


def close_database() -> None:
    """Close every connection of this application.

    In this order: an engine that is disposed of while a session uses one of its connections leaves that
    one to the collector.
    """
    db.session.remove()
    db.engine.dispose()


@contextmanager
def undone() -> Iterator[None]:
    """One history of many in a test's transaction: what it wrote is gone after it."""
    savepoint = db.engine.begin_nested()
    try:
        yield
    finally:
        db.session.remove()
        savepoint.rollback()
        _keep_rule_history.cache_clear()


# What features keep, by module.
KEPT_BY_FEATURES = {"portal.features.exercises.run_queries": ("exercise_of", "_list_kept_steps")}


def forget_published_content() -> None:
    """Empty what this process keeps of published versions by id: another database gives the same ids."""
    versions = version_cache.published_version, version_cache.version_content
    imported = [(sys.modules[name], kept) for name, kept in KEPT_BY_FEATURES.items() if name in sys.modules]
    runs = [getattr(module, name) for module, names in imported for name in names]
    texts = version_cache._cached_shared_content, lesson_html._fill_from
    for kept in (*versions, *runs, *texts, _shares_in, _keep_rule_history):
        kept.cache_clear()
