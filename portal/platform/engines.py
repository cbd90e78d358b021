"""The engines of the portal: the database, and a replica of it where one is set."""

from typing import Any

from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Engine

REPLICA = "replica"  # the key of its engine
DRIVER = "postgresql+psycopg://"
CONNECT_SECONDS = 2  # to the replica; then reports are read from the database itself


class RoutedSession(Session):
    """The session of a request, a job or a command.

    ``info["reads_from"]`` is the engine of the replica that it reads from, from now on; if there is none,
    it reads from the database itself. ``db.transaction`` always writes to the database itself.
    """

    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        """The engine of the next statement."""
        return self.info.get("reads_from") or super().get_bind(*args, **options)


SESSION_OPTIONS = {"class_": RoutedSession, "join_transaction_mode": "create_savepoint"}


def with_driver(url: str) -> str:
    """The address of a database; of PostgreSQL, through psycopg 3.

    >>> with_driver("postgres://portal@db/portal"), with_driver("sqlite:///portal.sqlite")
    ('postgresql+psycopg://portal@db/portal', 'sqlite:///portal.sqlite')
    """
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return DRIVER + url.removeprefix(prefix)
    return url


def replica_engines(url: str) -> dict[str, dict[str, Any]]:
    """The settings of the replica's engine, for Flask-SQLAlchemy; none where there is no replica."""
    if not url:
        return {}
    options = {"connect_args": {"connect_timeout": CONNECT_SECONDS}, "pool_pre_ping": True}
    return {REPLICA: {"url": with_driver(url), **options}}
