"""Indexes the reference of every record: a correction keeps it, and the unique index has first rows alone.

Each look at a certificate, each module with a pass and each new reference read all records.
"""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_record_reference", "record", ["reference"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_record_reference", "record")
