"""Adds an index of parts of names, on PostgreSQL alone.

PostgreSQL's alone: SQLite holds one force, whose names are read in a few milliseconds. It needs no extension,
which an administrator would have to allow, and which a backup could not bring along.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION parts_of_name(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ARRAY(SELECT substr(name, place, 3) FROM generate_series(1, length(name) - 2) AS place) $$
"""
INDEX = """
CREATE INDEX ix_person_name_parts ON person_name
USING gin (parts_of_name(lower(surname || ' ' || forenames || ' ' || staff_number)))
"""


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FUNCTION)
        op.execute(INDEX)
        op.execute("ANALYZE person_name")


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_person_name_parts")
        op.execute("DROP FUNCTION parts_of_name")
