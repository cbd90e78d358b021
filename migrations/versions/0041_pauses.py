"""Adds to modules a pause after several failed attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

COLUMNS = ("pause_after", "pause_hours")


def upgrade() -> None:
    """Apply; versions that are published already have no pause."""
    for name in COLUMNS:
        op.add_column("module_version", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Undo."""
    for name in COLUMNS:
        op.drop_column("module_version", name)
