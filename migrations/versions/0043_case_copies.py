"""Adds copies of texts that learners show to their managers."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import CASE_COPY_FACT_TABLES, protect, unprotect

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_copy",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("manager_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["case_run.id"], name=op.f("fk_case_copy_run_id")),
        sa.ForeignKeyConstraint(["manager_id"], ["person.id"], name=op.f("fk_case_copy_manager_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_copy")),
    )
    op.create_index(op.f("ix_case_copy_run_id"), "case_copy", ["run_id"])
    op.create_index(op.f("ix_case_copy_manager_id"), "case_copy", ["manager_id"])
    op.create_table(
        "case_copy_end",
        sa.Column("copy_id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["case_copy.id"], name=op.f("fk_case_copy_end_copy_id")),
        sa.PrimaryKeyConstraint("copy_id", name=op.f("pk_case_copy_end")),
    )
    op.create_table(
        "case_rubric",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("copy_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["case_run.id"], name=op.f("fk_case_rubric_run_id")),
        sa.ForeignKeyConstraint(["copy_id"], ["case_copy.id"], name=op.f("fk_case_rubric_copy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_rubric")),
    )
    op.create_index(op.f("ix_case_rubric_run_id"), "case_rubric", ["run_id"])
    protect(CASE_COPY_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(CASE_COPY_FACT_TABLES)
    op.drop_table("case_rubric")
    op.drop_table("case_copy_end")
    op.drop_table("case_copy")
