"""Rows of imports that are kept for 90 days, because their people are not on the roster."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "kept_row",
        sa.Column("id", ID, nullable=False),
        sa.Column("mark", WORDS, nullable=False),
        sa.Column("profile", WORDS, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheme", WORDS, nullable=True),
        sa.Column("identifier", WORDS, nullable=True),
        sa.Column("content", sa.JSON(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        sa.CheckConstraint(
            "ended_as IN ('recorded', 'lapsed', 'erased')", name=op.f("ck_kept_row_end_is_known")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (identifier IS NOT NULL)", name=op.f("ck_kept_row_ended_names_nobody")
        ),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_kept_row_ended_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_row")),
        sa.UniqueConstraint("mark", name=op.f("uq_kept_row_mark")),
    )
    op.create_index("ix_kept_row_kept_at", "kept_row", ["kept_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("kept_row")
