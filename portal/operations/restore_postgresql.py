"""Putting a copy in the place of a PostgreSQL database: two databases change their names in one step."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from portal.errors import RuleError
from portal.operations.archive import run_tool

LONGEST = 63  # bytes of a name
MAINTENANCE = ("postgres", "template1")  # databases to be connected to while another changes its name
RIGHTS = """
    SELECT (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user),
        coalesce((SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = %s), true)
"""
# What carries jobs to workers makes its tables itself; their messages are of jobs that end here.
CARRIERS = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE tablename LIKE 'carrier\\_%'"


class PostgresqlTarget:
    """The database, what is built beside it on the same server, and the step in which names change."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.name = str(url.database)
        self.copy = self._beside("restoring")

    def _beside(self, what: str) -> str:
        return f"{self.name[: LONGEST - 1 - len(what)]}_{what}"

    def state(self) -> str:
        """What stands in the way of replacing it: a sentence’s beginning; empty where nothing is there.

        Raises:
            RuleError: The role may not make databases, or somebody is connected to this one.
        """
        with self._server() as server:
            may_create, owns = _row(server, RIGHTS, self.name)
            if not may_create or not owns:
                raise RuleError(
                    "The role of DATABASE_URL may not make and rename databases: give it CREATEDB and the "
                    "database, or see docs/runbook/backup.md for another way. Nothing was changed."
                )
            if not self._exists(server):
                return ""
            _refuse_if_in_use(server, self.name)
        try:
            with closing(self._connected(self.name)) as held:
                (has_people,) = _row(held, "SELECT to_regclass('person') IS NOT NULL")
                if has_people and held.execute("SELECT 1 FROM person LIMIT 1").fetchone():
                    return "The database holds data"
        except psycopg.Error as error:
            return f"The database cannot be read ({' '.join(str(error).split())})"
        return ""

    @contextmanager
    def copied(self, file: Path) -> Iterator[URL]:
        """The backup as a database of its own.

        Raises:
            RuleError: It is damaged.
        """
        with self._made(self.copy) as url:
            try:
                words = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
                run_tool(url, "pg_restore", *words, str(file))
            except RuleError as error:
                said = " ".join(str(error).split())
                raise RuleError(f"The backup is damaged ({said}). Nothing was changed.") from error
            with closing(self._connected(self.copy)) as held:
                for (table,) in held.execute(CARRIERS).fetchall():
                    held.execute(f"DROP TABLE {table} CASCADE")
            yield url

    @contextmanager
    def empty(self) -> Iterator[URL]:
        """An empty database beside it, for what migrations make."""
        with self._made(self._beside("expected")) as url:
            yield url

    def swap(self, now: datetime) -> str:
        """Let the copy have the database's name, in one transaction; the name of the one before.

        Raises:
            RuleError: Somebody connected to one of them meanwhile.
        """
        kept = self._beside(f"before_restore_{now:%Y%m%dT%H%M%SZ}".lower())
        with self._server() as server:
            held = self._exists(server)
            try:
                with server.transaction():
                    if held:
                        _rename(server, self.name, kept)
                    _rename(server, self.copy, self.name)
            except psycopg.errors.ObjectInUse as error:
                raise RuleError(
                    "Somebody connected to the database: stop the portal first. Nothing was changed."
                ) from error
        return f"the database {kept}" if held else ""

    @contextmanager
    def _made(self, name: str) -> Iterator[URL]:
        """A database set up as the portal's own; dropped at the end, unless it has another name by then."""
        with self._server() as server:
            _drop(server, name)
            words = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            server.execute(words + self._set_up(server))
        try:
            yield self.url.set(database=name)
        finally:
            with self._server() as server:
                _drop(server, name)

    def _set_up(self, server: psycopg.Connection[Any]) -> sql.Composed:
        said = (
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s"
        )
        row = server.execute(said, [self.name]).fetchone()
        if row is None:
            return sql.SQL(" ENCODING 'UTF8'").format()
        words = sql.SQL(" ENCODING {} LC_COLLATE {} LC_CTYPE {}")
        return words.format(*(sql.Literal(value) for value in row))

    def _exists(self, server: psycopg.Connection[Any]) -> bool:
        return (
            server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name]).fetchone() is not None
        )

    @contextmanager
    def _server(self) -> Iterator[psycopg.Connection[Any]]:
        failure: psycopg.Error | None = None
        for name in MAINTENANCE:
            try:
                connection = self._connected(name)
            except psycopg.Error as error:
                failure = error
                continue
            with closing(connection):
                yield connection
            return
        said = " ".join(str(failure).split())
        raise RuleError(f"The database server cannot be used ({said}). Nothing was changed.")

    def _connected(self, name: str) -> psycopg.Connection[Any]:
        plain = self.url.set(drivername="postgresql", database=name)
        return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def _row(connection: psycopg.Connection[Any], statement: Any, *values: Any) -> Any:
    return connection.execute(statement, values or None).fetchone()


def _refuse_if_in_use(server: psycopg.Connection[Any], name: str) -> None:
    who = """SELECT count(*), string_agg(DISTINCT nullif(application_name, ''), ', ') FROM pg_stat_activity
        WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
    many, programs = _row(server, who, name)
    if many:
        raise RuleError(
            f"The database is in use ({many} connected{f': {programs}' if programs else ''}): stop the "
            "portal and its workers first. Nothing was changed."
        )


def _rename(server: psycopg.Connection[Any], name: str, new: str) -> None:
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new))
    )


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
