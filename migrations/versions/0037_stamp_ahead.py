"""Adds the stamp that a large change will take, so that its rows can be written ahead."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "stamp_ahead",
        sa.Column("microseconds", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("microseconds", name=op.f("pk_stamp_ahead")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("stamp_ahead")
