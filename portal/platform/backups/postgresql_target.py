"""Replaces a PostgreSQL database by a copy: two databases are renamed in one transaction."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from portal.platform.backups.copies import run_tool
from portal.platform.errors import RuleError

LONGEST = 63  # bytes of a name
KEPT = "the database "  # before the name of the one that was replaced
MAINTENANCE = ("postgres", "template1")  # databases to connect to while another is renamed
RIGHTS = """
    SELECT (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user),
        coalesce((SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = %s), true)
"""


class PostgresqlTarget:
    """The database to restore, the copy built on the same server, and the renaming of both."""

    def __init__(self, url: URL, *, rehearsing: bool = False) -> None:
        """Rehearsing builds copies under names of their own, and no one is renamed."""
        self.url = url
        self.name = str(url.database)
        self.copy = self._name_beside("rehearsing" if rehearsing else "restoring")
        self._empty = self._name_beside("rehearsing_expected" if rehearsing else "expected")

    def _name_beside(self, what: str) -> str:
        return f"{self.name[: LONGEST - 1 - len(what)]}_{what}"

    def obstacle_to_replacing(self) -> str:
        """Reason why the database should not be replaced, as the start of a sentence; empty if there is none.

        Raises:
            RuleError: The role may not make databases, or somebody is connected to this one.
        """
        with self._server_connection() as server:
            self._refuse_without_rights(server)
            if not self._database_exists(server):
                return ""
            _refuse_if_in_use(server, self.name)
        try:
            with closing(self._connect_to(self.name)) as connection:
                (has_people,) = _first_row(connection, "SELECT to_regclass('person') IS NOT NULL")
                if has_people and connection.execute("SELECT 1 FROM person LIMIT 1").fetchone():
                    return "The database holds data"
        except psycopg.Error as error:
            return f"The database cannot be read ({' '.join(str(error).split())})"
        return ""

    def refuse_without_rights(self) -> None:
        """Refuse to go on if databases cannot be made here.

        Raises:
            RuleError: The role may not make databases.
        """
        with self._server_connection() as server:
            self._refuse_without_rights(server)

    def _refuse_without_rights(self, server: psycopg.Connection[Any]) -> None:
        may_create, owns = _first_row(server, RIGHTS, self.name)
        if not may_create or not owns:
            raise RuleError(
                "The role of DATABASE_URL may not make and rename databases: give it CREATEDB and the "
                "database, or see docs/runbook/backup.md for another way. Nothing was changed."
            )

    @contextmanager
    def copy_of_backup(self, file: Path) -> Iterator[URL]:
        """The backup, restored into a new database."""
        with self._temporary_database(self.copy) as url:
            try:
                words = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
                run_tool(url, "pg_restore", *words, str(file))
            except RuleError as error:
                cause = " ".join(str(error).split())
                raise RuleError(f"The backup is damaged ({cause}). Nothing was changed.") from error
            yield url

    @contextmanager
    def empty_database(self) -> Iterator[URL]:
        """An empty database on the same server, for the migrations to fill."""
        with self._temporary_database(self._empty) as url:
            yield url

    def url_of_kept(self, kept: str) -> URL:
        """The database that was replaced, to be read and nothing else."""
        return self.url.set(database=kept.removeprefix(KEPT))

    def swap_in_copy(self, now: datetime) -> str:
        """Give the copy the database's name, in one transaction; returns the name of the old one."""
        old_name = self._name_beside(f"before_restore_{now:%Y%m%dT%H%M%SZ}".lower())
        with self._server_connection() as server:
            exists = self._database_exists(server)
            try:
                with server.transaction():
                    if exists:
                        _rename_database(server, self.name, old_name)
                    _rename_database(server, self.copy, self.name)
            except psycopg.errors.ObjectInUse as error:
                raise RuleError(
                    "Somebody connected to the database: stop the portal first. Nothing was changed."
                ) from error
        return f"{KEPT}{old_name}" if exists else ""

    @contextmanager
    def _temporary_database(self, name: str) -> Iterator[URL]:
        """A database set up as the portal's own; dropped at the end, unless it was renamed."""
        with self._server_connection() as server:
            words = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            try:
                _drop_database(server, name)
                server.execute(words + self._set_up(server))
            except psycopg.Error as error:
                cause = " ".join(str(error).split())
                raise RuleError(
                    f"The database {name} cannot be made ({cause}). Nothing was changed."
                ) from error
        try:
            yield self.url.set(database=name)
        finally:
            with self._server_connection() as server:
                _drop_database(server, name)

    def _set_up(self, server: psycopg.Connection[Any]) -> sql.Composed:
        statement = (
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s"
        )
        row = server.execute(statement, [self.name]).fetchone()
        if row is None:
            return sql.SQL(" ENCODING 'UTF8'").format()
        words = sql.SQL(" ENCODING {} LC_COLLATE {} LC_CTYPE {}")
        return words.format(*(sql.Literal(value) for value in row))

    def _database_exists(self, server: psycopg.Connection[Any]) -> bool:
        return (
            server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name]).fetchone() is not None
        )

    @contextmanager
    def _server_connection(self) -> Iterator[psycopg.Connection[Any]]:
        failure: psycopg.Error | None = None
        for name in MAINTENANCE:
            try:
                connection = self._connect_to(name)
            except psycopg.Error as error:
                failure = error
                continue
            with closing(connection):
                yield connection
            return
        cause = " ".join(str(failure).split())
        raise RuleError(f"The database server cannot be used ({cause}). Nothing was changed.")

    def _connect_to(self, name: str) -> psycopg.Connection[Any]:
        plain = self.url.set(drivername="postgresql", database=name)
        return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def _first_row(connection: psycopg.Connection[Any], statement: Any, *values: Any) -> Any:
    return connection.execute(statement, values or None).fetchone()


def _refuse_if_in_use(server: psycopg.Connection[Any], name: str) -> None:
    who = """SELECT count(*), string_agg(DISTINCT nullif(application_name, ''), ', ') FROM pg_stat_activity
        WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
    many, programs = _first_row(server, who, name)
    if many:
        raise RuleError(
            f"The database is in use ({many} connected{f': {programs}' if programs else ''}): stop the "
            "portal and its workers first. Nothing was changed."
        )


def _rename_database(server: psycopg.Connection[Any], name: str, new: str) -> None:
    server.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new))
    )


def _drop_database(server: psycopg.Connection[Any], name: str) -> None:
    """Drop a database of ours.

    Without force first: that ends an autovacuum, which with force only a superuser may.
    """
    statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        server.execute(statement)
    except psycopg.errors.ObjectInUse:
        server.execute(statement + sql.SQL(" WITH (FORCE)"))
