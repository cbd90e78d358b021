"""Adds lessons by duty and practice to modules, and the duties by which somebody began one."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("module_version", sa.Column("practice", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("module_version", sa.Column("duty_paths", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("registration", sa.Column("duties", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Undo."""
    op.drop_column("registration", "duties")
    op.drop_column("module_version", "duty_paths")
    op.drop_column("module_version", "practice")
