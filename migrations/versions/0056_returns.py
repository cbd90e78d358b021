"""Returns: a force's own, and at the coordinating unit those of all forces."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import RETURN_FACT_TABLES, protect, unprotect
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to, require

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def _add_own_return() -> None:
    op.create_table(
        "own_return",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("period", WORDS),
        require("number", sa.Integer()),
        require("content", sa.LargeBinary()),
        require("digest", WORDS),
        sa.Column("made_by_id", ID, nullable=True),
        refer_to("own_return", "made_by_id", "person.id"),
        refer_to("own_return", "replaces_id", "own_return.id"),
        make_key("own_return", "id"),
        sa.UniqueConstraint("period", "number", name=op.f("uq_own_return_period_number")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_own_return_replaces_id")),
    )


def _add_comparison() -> None:
    op.create_table(
        "comparison",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("period", WORDS),
        require("content", sa.LargeBinary()),
        require("digest", WORDS),
        sa.Column("received_by_id", ID, nullable=True),
        refer_to("comparison", "received_by_id", "person.id"),
        refer_to("comparison", "replaces_id", "comparison.id"),
        make_key("comparison", "id"),
        sa.UniqueConstraint("digest", name=op.f("uq_comparison_digest")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_comparison_replaces_id")),
    )
    op.create_index("ix_comparison_period", "comparison", ["period"], unique=False)


def _add_coordinated_force() -> None:
    op.create_table(
        "coordinated_force",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("key", WORDS),
        make_key("coordinated_force", "id"),
        sa.UniqueConstraint("key", name=op.f("uq_coordinated_force_key")),
    )


def _add_force_details() -> None:
    op.create_table(
        "force_details",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("force_id", ID),
        require("from_on", sa.Date()),
        require("name", WORDS),
        require("headcount", sa.Integer()),
        sa.Column("recorded_by_id", ID, nullable=True),
        sa.CheckConstraint("headcount > 0", name=op.f("ck_force_details_has_people")),
        refer_to("force_details", "force_id", "coordinated_force.id"),
        refer_to("force_details", "recorded_by_id", "person.id"),
        refer_to("force_details", "replaces_id", "force_details.id"),
        make_key("force_details", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_force_details_replaces_id")),
    )
    op.create_index("ix_force_details_force_id", "force_details", ["force_id"], unique=False)


def _add_force_key() -> None:
    op.create_table(
        "force_key",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("force_id", ID),
        require("from_on", sa.Date()),
        require("public_key", WORDS),
        require("fingerprint", WORDS),
        sa.Column("recorded_by_id", ID, nullable=True),
        refer_to("force_key", "force_id", "coordinated_force.id"),
        refer_to("force_key", "recorded_by_id", "person.id"),
        refer_to("force_key", "replaces_id", "force_key.id"),
        make_key("force_key", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_force_key_replaces_id")),
    )
    op.create_index("ix_force_key_force_id", "force_key", ["force_id"], unique=False)


def _add_return_period() -> None:
    op.create_table(
        "return_period",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("period", WORDS),
        require("due_on", sa.Date()),
        sa.Column("recorded_by_id", ID, nullable=True),
        refer_to("return_period", "recorded_by_id", "person.id"),
        refer_to("return_period", "replaces_id", "return_period.id"),
        make_key("return_period", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_return_period_replaces_id")),
    )
    op.create_index("ix_return_period_period", "return_period", ["period"], unique=False)


def _add_force_return() -> None:
    op.create_table(
        "force_return",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("force_id", ID),
        require("period", WORDS),
        require("number", sa.Integer()),
        require("received_on", sa.Date()),
        require("content", sa.LargeBinary()),
        require("digest", WORDS),
        require("key_id", ID),
        sa.Column("received_by_id", ID, nullable=True),
        refer_to("force_return", "force_id", "coordinated_force.id"),
        refer_to("force_return", "key_id", "force_key.id"),
        refer_to("force_return", "received_by_id", "person.id"),
        refer_to("force_return", "replaces_id", "force_return.id"),
        make_key("force_return", "id"),
        sa.UniqueConstraint("digest", name=op.f("uq_force_return_digest")),
        sa.UniqueConstraint(
            "force_id", "period", "number", name=op.f("uq_force_return_force_id_period_number")
        ),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_force_return_replaces_id")),
    )
    op.create_index("ix_force_return_period", "force_return", ["period"], unique=False)


def _add_return_figure() -> None:
    op.create_table(
        "return_figure",
        require("id", ID),
        require("force_return_id", ID),
        require("requirement", WORDS),
        require("grouping", WORDS),
        require("group_name", WORDS),
        sa.Column("assigned", sa.Integer(), nullable=True),
        sa.Column("excluded", sa.Integer(), nullable=True),
        sa.Column("complete", sa.Integer(), nullable=True),
        refer_to("return_figure", "force_return_id", "force_return.id"),
        make_key("return_figure", "id"),
    )
    op.create_index(
        "ix_return_figure_force_return_id",
        "return_figure",
        ["force_return_id", "grouping", "requirement"],
        unique=False,
    )


def upgrade() -> None:
    """Apply."""
    _add_own_return()
    _add_comparison()
    _add_coordinated_force()
    _add_force_details()
    _add_force_key()
    _add_return_period()
    _add_force_return()
    _add_return_figure()
    protect(RETURN_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(RETURN_FACT_TABLES)
    op.drop_table("return_figure")
    op.drop_table("force_return")
    op.drop_table("return_period")
    op.drop_table("force_key")
    op.drop_table("force_details")
    op.drop_table("coordinated_force")
    op.drop_table("comparison")
    op.drop_table("own_return")
