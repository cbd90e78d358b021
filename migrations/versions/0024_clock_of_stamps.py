"""Adds what the machine's clock said beside each stamp.

A stamp runs ahead of the clock after the clock was set back. Rows of earlier releases keep the stamp alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; a column is added in place, so that the triggers which refuse changes stay."""
    op.add_column("stamp", sa.Column("clock_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Undo, in place as well."""
    op.drop_column("stamp", "clock_at")
