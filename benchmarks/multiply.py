"""A large force from a small one: every person and all their facts, copied inside the database.

The portal's own command writes facts one by one, day by day, which for 15,000 people takes longer than all
measures together. A copy keeps each history, and with it each span, as that command made it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from portal.domain.status.models import StatusPeriod

TABLES = (
    "person",
    "person_name",
    "post",
    "assignment",
    "exclusion",
    "registration",
    "lesson_visit",
    "attempt",
    "response",
    "submission",
    "record",
    "pass_record",
    "imported_record",
    "status_period",
)
# What a span names is written without a foreign key (its model says why).
NAMED_WITHOUT_KEY = {
    (StatusPeriod.__tablename__, column.name): column.info["table"]
    for column in StatusPeriod.__table__.columns
    if "table" in column.info
}
# A UUID's version is 4 in all that the portal makes, and its variant 8 to b: in no copy both are.
_COPIED_UUID = (
    "substr({0}, 1, 12) || printf('%x', (:copy + 4) % 16) || substr({0}, 14, 3)"
    " || printf('%x', (instr('0123456789abcdef', substr({0}, 17, 1)) - 1 + 4 * (:copy / 16)) % 16)"
    " || substr({0}, 18)"
)
NEW_TEXT = {  # what is unique, made so again; :copy is the copy's number
    ("person_name", "staff_number"): "staff_number || '-' || :copy",
    ("person_name", "folded"): "folded || '-' || :copy",  # it ends with the staff number
    ("person_name", "email"): "'copy' || :copy || '.' || email",
    ("record", "reference"): "printf('OIC-%04d-%04d-' || :copy, id / 10000, id % 10000)",
    ("attempt", "id"): _COPIED_UUID.format("id"),
    ("response", "attempt_id"): _COPIED_UUID.format("attempt_id"),
    ("submission", "attempt_id"): _COPIED_UUID.format("attempt_id"),
    ("pass_record", "attempt_id"): _COPIED_UUID.format("attempt_id"),
}


def multiply(database: Path, times: int) -> None:
    """Make ``times`` (at most 64) people of each, none of the new ones with an account."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")  # checked once, at the end
        connection.execute("BEGIN IMMEDIATE")
        last = {
            table: connection.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()[0]
            for table in TABLES
        }
        for table in TABLES:
            statement = _statement(connection, table, last)
            for copy in range(1, times):
                connection.execute(statement, {"copy": copy, "last": last[table]})
        connection.execute("COMMIT")
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"The copied facts name rows that are not there: {broken[:3]}")


def _statement(connection: sqlite3.Connection, table: str, last: dict[str, int]) -> str:
    """The rows of the first force once more, its ids and all that names them moved alike."""
    names = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
    aims = {key[3]: key[2] for key in connection.execute(f"PRAGMA foreign_key_list({table})")}
    values = []
    for name in names:
        aim = table if name == "id" else aims.get(name) or NAMED_WITHOUT_KEY.get((table, name))
        moved = f'"{name}" + :copy * {last[aim]}' if aim in last else f'"{name}"'
        values.append(NEW_TEXT.get((table, name), moved))
    columns = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table} ({columns}) SELECT {', '.join(values)} FROM {table} WHERE rowid <= :last"
