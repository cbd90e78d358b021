"""Connections: settings without which an acknowledged commit could be lost, and that they are kept."""

from contextlib import ExitStack

from sqlalchemy import event, text

from portal.platform.db import db
from portal.platform.serving.lanes import LONG, THREADS, Lane

SQLITE = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "busy_timeout": 15000,
}
# Threads that say that they are there, and that relay what another process answers, read nothing.
READERS = sum(count for lane, count in THREADS.items() if lane not in {*LONG, Lane.HEALTH})
POSTGRESQL = {"TimeZone": "UTC", "synchronous_commit": "on", "lock_timeout": "30s", "jit": "off"}


def test_every_connection_is_durable_and_strict(app):
    with app.app_context():
        sqlite = db.engine.dialect.name == "sqlite"
        ask = "PRAGMA {}" if sqlite else "SHOW {}"
        connections = [db.engine.connect() for _ in range(3)]
        for connection in connections:
            wanted = SQLITE if sqlite else POSTGRESQL
            held = {name: connection.scalar(text(ask.format(name))) for name in wanted}
            assert held == wanted
        for connection in connections:
            connection.close()


def test_each_thread_of_a_web_process_that_reads_keeps_a_connection(serving):
    opened = []

    def use_as_many_as_threads():
        with ExitStack() as in_use:
            for _ in range(READERS):
                in_use.enter_context(db.engine.connect())

    use_as_many_as_threads()
    event.listen(db.engine, "connect", lambda connection, _record: opened.append(connection))
    use_as_many_as_threads()
    assert opened == []


def test_the_connection_that_was_used_last_is_used_next(serving):
    first, last = db.engine.connect(), db.engine.connect()
    driver = last.connection.dbapi_connection
    first.close()
    last.close()
    with db.engine.connect() as following:
        assert following.connection.dbapi_connection is driver


def test_a_process_with_more_threads_opens_more_connections(serving):
    with ExitStack() as in_use:
        connections = [in_use.enter_context(db.engine.connect()) for _ in range(40)]
        assert len({id(each.connection.dbapi_connection) for each in connections}) == 40
