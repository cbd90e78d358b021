"""Applications on databases of a test's own, and their connections closed."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from config import Config
from portal.app import create_app
from portal.domain.catalogue import queries, version_cache
from portal.domain.catalogue.markdown import placeholders
from portal.domain.exercises.running.queries import forget_runs
from portal.platform.db import db


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


def forget_published_content() -> None:
    """Empty what this process keeps of published versions by id: another database gives the same ids."""
    versions = version_cache.published_version, version_cache.version_content
    for kept in (*versions, queries._cached_shared_content, placeholders._fill_from):
        kept.cache_clear()
    forget_runs()
