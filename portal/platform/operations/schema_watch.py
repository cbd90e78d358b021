"""Watches whether the database is at this release's newest migration, for processes that run for long.

A server may be started before ``db upgrade``, and a database may be upgraded under one. Until both are of one
release again, pages answer that the portal is being upgraded, and workers take up no job.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from time import monotonic

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from portal.platform import presence
from portal.platform.observability.logs import get_logger
from portal.platform.operations import readiness

_log = get_logger("portal.schema")
CURRENT_SECONDS = 10
OTHER_SECONDS = 1  # between two looks at a database of another release
CONNECT_SECONDS = 2
PRESENCE_SECONDS = 2  # for an upgrade to release the lock after its last statement


class SchemaWatch:
    """What one process knows of the database's release.

    It looks through connections of its own, so that a restore or an upgrade that needs a stop can replace
    the database under a process that waits for it. From when the process uses the database, it holds the
    presence of ``portal.platform.presence``, which keeps both away.
    """

    def __init__(self, url: str, instance: Path, forget_connections: Callable[[], None]) -> None:
        """Look at nothing yet.

        Args:
            url: Of the database.
            instance: The instance folder.
            forget_connections: Called before the process uses a database that it had waited for.
        """
        self._url, self._instance, self._forget_connections = make_url(url), instance, forget_connections
        self._looking = Lock()
        self.current_seconds = CURRENT_SECONDS  # between two looks at a database at the newest migration
        self._next_look = 0.0
        self._reason = ""
        self._is_of_server = False

    def reason_to_wait(self) -> str:
        """Why this process cannot use the database now; empty if it can, as far as the last look says."""
        is_first = not self._next_look  # of several threads all wait for the first look, and one looks again
        if monotonic() >= self._next_look and self._looking.acquire(blocking=is_first):
            try:
                if monotonic() >= self._next_look:
                    self._check_schema()
            finally:
                self._looking.release()
        return self._reason

    def watch_for_server(self) -> None:
        """Hold this process's presence from when the database can be used; looks at once.

        Raises:
            RestoringError: It could be, but a restore or an upgrade is under way.
        """
        self._is_of_server = True
        if not self._reason_of_database():
            presence.hold_presence(self._instance, wait_seconds=PRESENCE_SECONDS)

    def _check_schema(self) -> None:
        reason = self._reason_of_database()
        if not reason:
            reason = self._reason_of_presence()
        if reason and reason != self._reason:
            _log.error("pages.refused", reason=reason)
        elif self._reason and not reason:
            self._forget_connections()
            _log.warning("pages.served_again")
        self._reason = reason
        self._next_look = monotonic() + (OTHER_SECONDS if reason else self.current_seconds)

    def _reason_of_database(self) -> str:
        """Of which other release it is; empty also if it does not answer for the first time, as pages say."""
        is_embedded = self._url.get_backend_name() == "sqlite"
        if is_embedded and not Path(self._url.database or "").exists():
            return ""
        options = {"timeout" if is_embedded else "connect_timeout": CONNECT_SECONDS}
        engine = create_engine(self._url, poolclass=NullPool, connect_args=options)
        try:
            with engine.connect() as connection:
                return readiness.reason_against_connection(connection)
        except (DBAPIError, sqlite3.Error):
            return self._reason
        finally:
            engine.dispose()

    def _reason_of_presence(self) -> str:
        if not self._is_of_server:
            return ""
        try:
            presence.hold_presence(self._instance)
        except presence.RestoringError as error:
            return str(error)
        return ""
