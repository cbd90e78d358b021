"""Adds lessons that are cases, and the runs of learners through them."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import CASE_FACT_TABLES, protect, unprotect

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("lesson", sa.Column("case_kind", WORDS, nullable=True))
    op.add_column("lesson", sa.Column("case_content", sa.JSON(), nullable=True))
    op.create_table(
        "case_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("lesson_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_case_run_registration_id")
        ),
        sa.ForeignKeyConstraint(["lesson_id"], ["lesson.id"], name=op.f("fk_case_run_lesson_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_run")),
        sa.UniqueConstraint(
            "registration_id",
            "lesson_id",
            "number",
            name=op.f("uq_case_run_registration_id_lesson_id_number"),
        ),
    )
    op.create_index(op.f("ix_case_run_lesson_id"), "case_run", ["lesson_id"])
    op.create_table(
        "case_step",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("ends", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["case_run.id"], name=op.f("fk_case_step_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_step")),
    )
    op.create_index("ix_case_step_run", "case_step", ["run_id", "id"])
    protect(CASE_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(CASE_FACT_TABLES)
    op.drop_table("case_step")
    op.drop_table("case_run")
    op.drop_column("lesson", "case_content")
    op.drop_column("lesson", "case_kind")
