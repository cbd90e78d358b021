"""Adds an index of names in their order."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_person_name_in_order", "person_name", ["surname", "staff_number", "person_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_person_name_in_order", table_name="person_name")
