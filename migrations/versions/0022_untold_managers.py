"""Adds a table of line managers who are not written to of overdue reports."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "untold_manager",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_untold_manager_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_untold_manager")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("untold_manager")
