"""Has PostgreSQL clear earlier versions of anonymous statements as soon as it can."""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

# An earlier version of a row still says what there was before it, to whoever reads pages of the table.
TABLES = ("plenary_statement", "plenary_voter")
AT_ONCE = {"autovacuum_vacuum_threshold": 0, "autovacuum_vacuum_scale_factor": 0}


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        options = ", ".join(f"{name} = {value}" for name, value in AT_ONCE.items())
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} SET ({options})")


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(AT_ONCE)})")
