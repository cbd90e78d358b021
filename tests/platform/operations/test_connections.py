"""The settings without which an acknowledged commit could be lost, on every connection."""

from sqlalchemy import text

from portal.platform.db import db

SQLITE = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "busy_timeout": 15000,
}
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
