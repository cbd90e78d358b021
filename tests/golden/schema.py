"""Every object of the database, a text each, as the migrations make it on either kind of database."""

import re
import subprocess
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from portal.platform.db import db
from tests.databases import migrate
from tests.golden.writing import Record
from tests.postgres import QUICK, Postgres
from tests.running import fresh_database


def record_sqlite(record: Record, app: Flask, instance: Path, made: dict[str, str]) -> None:
    """The tables, indexes and triggers of SQLite."""
    rows = db.session.execute(
        text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1, 2")
    )
    for kind, name, sql in rows.all():
        words = re.sub(r"\s*\n\s*", "\n", sql)
        record.write(f"schema/sqlite {kind} {name}", f"SQLite: {kind} {name}", words)
    db.session.rollback()


def record_postgresql(record: Record, app: Flask, instance: Path, made: dict[str, str]) -> None:
    """The same, and functions and sequences, of PostgreSQL, from a server of its own."""
    server = Postgres(QUICK)
    try:
        address = fresh_database(server.address, "golden")
        migrate(instance / "postgresql", address)
        program = str(server._binaries / "pg_dump")
        dump = subprocess.run(
            [program, "--schema-only", "--no-owner", "--no-privileges", address],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    finally:
        server.end()
    objects = re.split(r"^-- Name: ", dump, flags=re.MULTILINE)[1:]
    for words in objects:
        head, _, body = words.partition("\n")
        name, kind = re.sub(r"; Schema: .*", "", head).split("; Type: ")
        lines = [line for line in body.splitlines() if line and not line.startswith(("--", "\\", "SET "))]
        record.write(
            f"schema/postgresql {kind.lower()} {name}", f"PostgreSQL: {kind.lower()} {name}", "\n".join(lines)
        )
