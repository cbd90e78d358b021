"""Fills a database of an earlier revision with the rows of release 0.2.0, whatever the portal is today.

Four people under two directives: one completes a module, one moves to another unit, one is exempt for some
weeks, and one's pass is revoked. ``release_0_2_0.json`` has the facts in the columns of the first revision,
and the rows derived from them.
"""

import csv
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, Date, DateTime, Engine, MetaData, Numeric, insert, text

RELEASE = json.loads(Path(__file__).with_name("release_0_2_0.json").read_text(encoding="utf-8"))
# The completion report of a past position, as 0.2.0 wrote it from these rows.
REPORT = Path(__file__).with_name("release_0_2_0.csv")
POSITION = ("--directive", "DIR-3", "--as-at", "2026-02-12", "--as-known-on", "2026-01-11T12:00:00Z")
FACTS = RELEASE["facts"]
ROWS = FACTS | RELEASE["rows"]


def fill_database(engine: Engine) -> None:
    """Insert the facts and what the portal had derived from them."""
    with engine.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection, only=list(ROWS))
        for name, content in ROWS.items():
            table = metadata.tables[name]
            types = [table.columns[column].type for column in content["columns"]]
            rows = [
                {
                    column: read_value(value, kind)
                    for column, value, kind in zip(content["columns"], row, types, strict=True)
                }
                for row in content["rows"]
            ]
            connection.execute(insert(table), rows)
            if connection.dialect.name == "postgresql" and "id" in content["columns"]:
                skip_used_ids(connection, name)


def read_value(value: Any, kind: Any) -> Any:
    """A value of the file as the column takes it."""
    if value is None:
        return None
    if isinstance(kind, DateTime):
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if kind.timezone else instant
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Boolean):
        return bool(value)
    return Decimal(str(value)) if isinstance(kind, Numeric) else value


def skip_used_ids(connection: Connection, table: str) -> None:
    """Have PostgreSQL number new rows after those that came with their ids."""
    connection.execute(
        text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    )


def facts_in(engine: Engine) -> dict[str, list[str]]:
    """The rows of the facts' tables, in the columns of the first revision, by table."""
    metadata = MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection, only=list(FACTS))
        rows: dict[str, list[str]] = {}
        for name, content in FACTS.items():
            columns = [metadata.tables[name].columns[column] for column in content["columns"]]
            query = metadata.tables[name].select().with_only_columns(*columns)
            rows[name] = sorted(map(repr, connection.execute(query)))
        return rows


def report_of_release(written: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The rows of a completion report in the columns that 0.2.0 had, and what they should be.

    0.2.0 wrote noon where it had been told a day alone.
    """
    expected = _read_rows(REPORT)
    for row in expected:
        if row["source"] == "imported":
            row["satisfied_at"] = row["satisfied_at"].removesuffix("T12:00:00Z")
    return [{column: row[column] for column in expected[0]} for row in _read_rows(written)], expected


def _read_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))
