"""A nation from one force: its units, people and all their facts, copied inside PostgreSQL.

As ``multiply`` does it in SQLite: ids and all that names them are moved alike, what is unique is made so
again, and each history, and with it each span, stays as the portal's own command made it. Copies lie mixed
on the disk, as the facts of many forces do that work on the same days.
"""

from typing import Any

from benchmarks import multiply
from benchmarks.nation.cluster import connected

# Answers to single questions are left out: no report reads them, and they would be most of the database.
TABLES = ("unit", "unit_state", *(table for table in multiply.TABLES if table != "response"))
_COPIED_UUID = "md5({0}::text || '/' || copy)::uuid"
NEW = {
    ("unit_state", "name"): "CASE WHEN parent_id IS NULL THEN (%(names)s::text[])[copy] ELSE name END",
    ("person_name", "staff_number"): "staff_number || '-' || copy",
    ("person_name", "email"): "'copy' || copy || '.' || email",
    ("record", "reference"): "'OIC-' || lpad((id / 10000)::text, 4, '0') || '-'"
    " || lpad((id %% 10000)::text, 4, '0') || '-' || copy",
    ("attempt", "id"): _COPIED_UUID.format("id"),
    ("submission", "attempt_id"): _COPIED_UUID.format("attempt_id"),
    ("pass_record", "attempt_id"): _COPIED_UUID.format("attempt_id"),
}  # fmt: skip
_FIRST = ("Ald", "Bren", "Cor", "Dun", "Ell", "Far", "Gar")
_LAST = ("shire", "mere", "wold", "vale", "marsh", "combe", "fell")
NAMES = [f"{first}{last} Police" for first in _FIRST for last in _LAST]  # of the copies; all are fictional

_KEYS = """
    SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f'"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype FROM pg_constraint
    WHERE contype IN ('f', 'u') AND conrelid::regclass::text = ANY(%s)
    ORDER BY contype = 'f'"""
_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid::regclass::text = ANY(%s)
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""


def copy(url: str, forces: int) -> None:
    """Make ``forces`` of the one force in the database; nobody in the new ones has an account."""
    with connected(url) as connection:
        tables = list(TABLES)
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '1GB'")
        constraints = connection.execute(_CONSTRAINTS, (tables,)).fetchall()
        indexes = connection.execute(_INDEXES, (tables,)).fetchall()
        keys = multiply.NAMED_WITHOUT_KEY | {
            (table, column): aim for table, column, aim in connection.execute(_KEYS)
        }
        for table, name, _, _ in reversed(constraints):
            connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        with connection.transaction():
            _multiply(connection, forces, keys)
        for _, definition in indexes:
            connection.execute(definition)
        for table, name, definition, _ in constraints:  # which checks every row
            connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        connection.execute("VACUUM (ANALYZE, FREEZE)")
        connection.execute("CHECKPOINT")


def _multiply(connection: Any, forces: int, keys: dict[tuple[str, str], str]) -> None:
    columns = {table: _columns(connection, table) for table in TABLES}
    last = {
        table: connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
        for table in TABLES
        if columns[table].get("id") == "bigint"
    }
    for table in TABLES:
        values = []
        for name in columns[table]:
            aim = table if name == "id" else keys.get((table, name))
            moved = f'"{name}" + copy * {last[aim]}' if aim in last else f'"{name}"'
            values.append(NEW.get((table, name), moved))
        named = ", ".join(f'"{name}"' for name in columns[table])
        connection.execute(
            f"INSERT INTO {table} ({named}) SELECT {', '.join(values)} FROM {table},"
            " generate_series(1, %(copies)s) AS copy",
            {"copies": forces - 1, "names": NAMES},
        )
        if table in last:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )


def _columns(connection: Any, table: str) -> dict[str, str]:
    """The columns and their types."""
    return dict(
        connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
            (table,),
        ).fetchall()
    )
