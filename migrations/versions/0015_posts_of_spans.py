"""Makes an index of spans anew, with the post."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNIT = ["directive_id", "unit_id", "position", "status", "from_on", "to_on", "known_from", "known_to"]


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_span_unit", table_name="standing_span")
    op.create_index("ix_span_unit", "standing_span", [*UNIT, "post_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_span_unit", table_name="standing_span")
    op.create_index("ix_span_unit", "standing_span", UNIT)
