"""Adds items for some duties, the duties of a draw, and a try before the lessons."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("item", sa.Column("duties", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("attempt", sa.Column("duties", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column(
        "module_version", sa.Column("pre_test", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("module_version", "pre_test")
    op.drop_column("attempt", "duties")
    op.drop_column("item", "duties")
