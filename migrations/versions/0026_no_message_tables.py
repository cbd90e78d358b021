"""Drops the tables in which earlier releases carried messages about jobs.

The library that carried them made these tables itself, in PostgreSQL alone, when the first job was started.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TABLE IF EXISTS carrier_kv, carrier_schedule, carrier_task, carrier_counter")


def downgrade() -> None:
    """Nothing to undo: an earlier release makes its tables again."""
