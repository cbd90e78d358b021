"""Lets status periods be written ahead of the people, units and posts of an import.

They name rows that a later transaction adds, so the database no longer checks these three ids. The table is
derived: ``directives reconcile`` compares all of it with the facts.
"""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

TABLE = "status_period"
KEYS = {
    "fk_standing_span_person_id": ("person_id", "person"),
    "fk_standing_span_post_id": ("post_id", "post"),
    "fk_standing_span_unit_id": ("unit_id", "unit"),
}


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        for key in KEYS:
            op.drop_constraint(key, TABLE, type_="foreignkey")
        return
    text = _read_text()
    for key, (column, parent) in KEYS.items():
        written = _text_of(key, column, parent)
        if written not in text:  # imports would be refused later, by a key that nobody knows of
            raise RuntimeError(f"{TABLE} has no key written as {key} is.")
        text = text.replace(written, "")
    _write_text(text)


def downgrade() -> None:
    """Undo; PostgreSQL checks all rows again."""
    if op.get_bind().dialect.name == "postgresql":
        for key, (column, parent) in KEYS.items():
            op.create_foreign_key(key, TABLE, parent, [column], ["id"])
        return
    added = "".join(_text_of(key, column, parent) for key, (column, parent) in KEYS.items())
    _write_text(_read_text().removesuffix("\n)") + f"{added}\n)")


def _text_of(key: str, column: str, parent: str) -> str:
    return f", \n\tCONSTRAINT {key} FOREIGN KEY({column}) REFERENCES {parent} (id)"


def _read_text() -> str:
    found = op.get_bind().exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (TABLE,))
    return str(found.scalar_one())


def _write_text(text: str) -> None:
    """Give the table this text as SQLite documents it for keys: no row is read or written."""
    run = op.get_bind().exec_driver_sql
    run("PRAGMA writable_schema = ON")
    run("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (text, TABLE))
    version = run("PRAGMA schema_version").scalar_one()
    run(f"PRAGMA schema_version = {version + 1}")  # so that every connection reads the text again
    run("PRAGMA writable_schema = RESET")
