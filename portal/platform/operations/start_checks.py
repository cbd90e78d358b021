"""Checks, before the server starts, whether it can serve; gives a sentence for each problem."""

import errno
import socket
import sqlite3

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from config import Config
from portal.platform import presence
from portal.platform.operations import readiness
from portal.platform.operations.schema_watch import SchemaWatch
from portal.platform.processes import is_socket_handed_over

WAIT_SECONDS = 5  # for a database server that does not answer


def reasons_not_to_serve(config: Config) -> list[str]:
    """A sentence for each reason why the portal cannot serve; empty if it can."""
    reasons = (_reason_not_to_listen(config), _reason_not_to_read(config), _reason_not_to_start(config))
    return [reason for reason in reasons if reason]


def _reason_not_to_listen(config: Config) -> str:
    if is_socket_handed_over():
        return ""
    try:
        family, kind, _, _, address = socket.getaddrinfo(config.bind, config.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, after one that ended
            probe.bind(address)
    except socket.gaierror:
        return f"BIND: {config.bind} is no address of this machine."
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"PORT {config.port} of {config.bind} is taken: stop what listens there, or set another."
        if error.errno == errno.EACCES:
            return f"PORT {config.port} is not for this user: set one above 1023."
        return f"BIND: {config.bind} is no address of this machine."
    return ""


def _reason_not_to_start(config: Config) -> str:
    """Reason if a restore is under way; from now on none can begin until this process and its workers end.

    A server of another release than its database only says so, and does not hold up the upgrade.
    """
    try:
        SchemaWatch(config.sqlalchemy_url, config.instance, lambda: None).watch_for_server()
    except presence.RestoringError as error:
        return str(error)
    return ""


def _reason_not_to_read(config: Config) -> str:
    url = make_url(config.sqlalchemy_url)
    options = {"connect_timeout": WAIT_SECONDS} if url.get_backend_name() == "postgresql" else {}
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA schema_version")  # opens the file
    except (DBAPIError, sqlite3.Error) as error:
        cause = readiness.in_one_line(error)
        return (
            f"DATABASE_URL: the database cannot be opened ({cause}). Is it running, and is the address right?"
        )
    finally:
        engine.dispose()
    return ""
