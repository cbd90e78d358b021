"""Adds to requests which of them were made together."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("decision_request", sa.Column("joint_uuid", sa.Uuid(), nullable=True))
    op.create_index("ix_decision_request_joint_uuid", "decision_request", ["joint_uuid"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_decision_request_joint_uuid", "decision_request")
    op.drop_column("decision_request", "joint_uuid")
