"""Dip samples of intelligence documents: counts by unit and month."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import SAMPLE_FACT_TABLES, protect, unprotect
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to, require

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def _add_dip_sample() -> None:
    op.create_table(
        "dip_sample",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("unit_id", ID),
        require("month", sa.Date()),
        sa.Column("guide_version_id", ID, nullable=True),
        require("reported", sa.Integer()),
        require("submitted", sa.Integer()),
        require("on_time", sa.Integer()),
        require("sampled", sa.Integer()),
        require("complete", sa.Integer()),
        require("graded", sa.Integer()),
        require("returned", sa.Integer()),
        require("reason", WORDS),
        require("recorded_by_id", ID),
        sa.CheckConstraint("complete BETWEEN 0 AND sampled", name=op.f("ck_dip_sample_complete_fits")),
        sa.CheckConstraint("graded BETWEEN 0 AND sampled", name=op.f("ck_dip_sample_graded_fits")),
        sa.CheckConstraint("on_time BETWEEN 0 AND submitted", name=op.f("ck_dip_sample_on_time_fits")),
        sa.CheckConstraint("returned BETWEEN 0 AND sampled", name=op.f("ck_dip_sample_returned_fits")),
        sa.CheckConstraint("sampled BETWEEN 0 AND submitted", name=op.f("ck_dip_sample_sampled_fits")),
        sa.CheckConstraint("submitted BETWEEN 0 AND reported", name=op.f("ck_dip_sample_submitted_fits")),
        refer_to("dip_sample", "guide_version_id", "guide_version.id"),
        refer_to("dip_sample", "recorded_by_id", "person.id"),
        refer_to("dip_sample", "replaces_id", "dip_sample.id"),
        refer_to("dip_sample", "unit_id", "unit.id"),
        make_key("dip_sample", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_dip_sample_replaces_id")),
    )
    op.create_index("ix_dip_sample_unit_id_month", "dip_sample", ["unit_id", "month"], unique=False)


def upgrade() -> None:
    """Apply."""
    _add_dip_sample()
    protect(SAMPLE_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(SAMPLE_FACT_TABLES)
    op.drop_table("dip_sample")
