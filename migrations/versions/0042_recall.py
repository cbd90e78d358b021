"""Adds spaced recall for the learner alone, and a module's briefing."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import refuse_updates

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_a_name(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"],
        ["person_name.person_id"],
        name=op.f(f"fk_{table}_person_id"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "recall_review",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("item_key", WORDS, nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_name("recall_review"),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_recall_review_activity_id")),
        sa.ForeignKeyConstraint(
            ["module_version_id"],
            ["module_version.id"],
            name=op.f("fk_recall_review_module_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_review")),
        sa.UniqueConstraint(
            "person_id",
            "activity_id",
            "number",
            "item_key",
            name=op.f("uq_recall_review_person_id_activity_id_number_item_key"),
        ),
    )
    op.create_index(
        "ix_recall_review_activity", "recall_review", ["activity_id", "module_version_id", "item_key"]
    )
    refuse_updates("recall_review")
    op.create_table(
        "recall_opt_out",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_name("recall_opt_out"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_recall_opt_out")),
    )
    op.add_column("module_version", sa.Column("briefing_title", WORDS, nullable=True))
    op.add_column("module_version", sa.Column("briefing_html", WORDS, nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("module_version", "briefing_html")
    op.drop_column("module_version", "briefing_title")
    op.drop_table("recall_opt_out")
    op.drop_table("recall_review")
