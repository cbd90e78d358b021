"""Carries the news of a job from where it was asked for to a worker, by huey; the table stays the truth.

A message that is lost costs seconds, never a job: workers look at the table as well.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, has_app_context
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.serializer import SignedSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import Config, ConfigError
from portal.db import db
from portal.jobs.services import STARTED

NAME = "portal"


def huey_of(config: Config) -> Huey:
    """The carrier that ``JOBS_URL`` names; opens it, so it is closed with ``storage.close()``.

    Messages are signed with the secret key: whoever can write to the store cannot have a worker load
    what they please.
    """
    url = config.jobs_address
    options: dict[str, Any] = {
        "results": False,
        "serializer": SignedSerializer(config.secret_key, salt="portal.jobs"),
    }
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return SqliteHuey(NAME, filename=url.removeprefix("sqlite:///"), **options)
    if scheme == "postgresql":
        return PostgresHuey(NAME, dsn=url, table_prefix="carrier", **options)
    return RedisHuey(NAME, url=url, **options)


def message(huey: Huey, act: Callable[[str], None]) -> Any:
    """Make the one task of this carrier known: called with a job's reference, it sends the message."""

    def carry_out(reference: str) -> None:  # huey knows it by this name and module, where sent and where run
        act(reference)

    return huey.task()(carry_out)


@contextmanager
def opened(config: Config) -> Iterator[Any]:
    """What sends a message, closed again: jobs are rare, and a process that serves pages keeps nothing."""
    huey = huey_of(config)
    try:
        yield message(huey, lambda reference: None)
    finally:
        huey.storage.close()


def carry(references: list[uuid.UUID]) -> None:
    """Send word of these jobs; where that fails, the workers find them in the table."""
    try:
        with opened(current_app.config["PORTAL"]) as send:
            for reference in references:
                send(str(reference))
    except Exception:
        current_app.logger.exception("jobs not carried; workers will find them in the table")


def _committed(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: it may still be undone
    references = session.info.pop(STARTED, None)
    if references and has_app_context():
        carry(references)


def _undone(session: Session) -> None:
    session.info.pop(STARTED, None)


def register(app: Flask) -> None:
    """Carry what a transaction started once it is committed; forget it if it is rolled back.

    Raises:
        ConfigError: ``JOBS_URL`` names Redis, and its client is not installed.
    """
    if app.config["PORTAL"].jobs_address.startswith("redis") and find_spec("redis") is None:
        raise ConfigError("JOBS_URL names Redis: install the package redis beside the portal.")
    if not event.contains(db.session, "after_commit", _committed):
        event.listen(db.session, "after_commit", _committed)
        event.listen(db.session, "after_rollback", _undone)
