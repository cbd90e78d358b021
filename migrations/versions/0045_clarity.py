"""Adds whether lessons and items were clear, archived modules, minimum versions and link checks."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.append_only import MODULE_FACT_TABLES, protect, refuse_updates, unprotect

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _add_clarity() -> None:
    op.create_table(
        "clarity_answer",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("place", WORDS, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("clear", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "place LIKE 'lesson:%' OR place LIKE 'item:%'", name=op.f("ck_clarity_answer_place_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person_name.person_id"],
            name=op.f("fk_clarity_answer_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_clarity_answer_activity_id")),
        sa.ForeignKeyConstraint(
            ["module_version_id"],
            ["module_version.id"],
            name=op.f("fk_clarity_answer_module_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clarity_answer")),
        sa.UniqueConstraint(
            "person_id",
            "activity_id",
            "place",
            "number",
            name=op.f("uq_clarity_answer_person_id_activity_id_place_number"),
        ),
    )
    op.create_index("ix_clarity_answer_activity", "clarity_answer", ["activity_id", "place"])
    refuse_updates("clarity_answer")
    op.create_table(
        "clarity_words",
        sa.Column("answer_id", ID, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        _of_an_answer("clarity_words"),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_clarity_words")),
    )
    refuse_updates("clarity_words")
    op.create_table(
        "clarity_reply",
        sa.Column("id", ID, nullable=False),
        sa.Column("answer_id", ID, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("replied_by_id", ID, nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=False),
        _of_an_answer("clarity_reply"),
        sa.ForeignKeyConstraint(
            ["replied_by_id"], ["person.id"], name=op.f("fk_clarity_reply_replied_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clarity_reply")),
        sa.UniqueConstraint("answer_id", name=op.f("uq_clarity_reply_answer_id")),
    )
    refuse_updates("clarity_reply")


def _of_an_answer(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["answer_id"],
        ["clarity_answer.id"],
        name=op.f(f"fk_{table}_answer_id"),
        ondelete="CASCADE",
    )


def _fact_columns(table: str) -> tuple[sa.Column[Any] | sa.Constraint, ...]:
    return (
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["replaces_id"], [f"{table}.id"], name=op.f(f"fk_{table}_replaces_id")),
        sa.UniqueConstraint("replaces_id", name=op.f(f"uq_{table}_replaces_id")),
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _add_archiving() -> None:
    op.create_table(
        "module_archiving",
        *_fact_columns("module_archiving"),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("successor_id", ID, nullable=True),
        sa.Column("archived_on", sa.Date(), nullable=False),
        sa.Column("decided_by_id", ID, nullable=False),
        _refers("module_archiving", "activity_id", "activity"),
        _refers("module_archiving", "successor_id", "activity"),
        _refers("module_archiving", "decided_by_id", "person"),
    )
    op.create_index("ix_module_archiving_activity_id", "module_archiving", ["activity_id"])


def _add_minimum_version() -> None:
    op.create_table(
        "minimum_version",
        *_fact_columns("minimum_version"),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("decided_by_id", ID, nullable=False),
        sa.CheckConstraint("from_on > announced_on", name=op.f("ck_minimum_version_leaves_notice")),
        _refers("minimum_version", "activity_id", "activity"),
        _refers("minimum_version", "module_version_id", "module_version"),
        _refers("minimum_version", "decided_by_id", "person"),
    )
    op.create_index("ix_minimum_version_activity_id", "minimum_version", ["activity_id"])


def _add_schedule() -> None:
    op.create_table(
        "scheduled_publication",
        sa.Column("id", ID, nullable=False),
        sa.Column("review_id", ID, nullable=False),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", ID, nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("reason", WORDS, nullable=True),
        sa.CheckConstraint(
            "ended_as IN ('published', 'cancelled', 'failed')",
            name=op.f("ck_scheduled_publication_end_is_known"),
        ),
        _refers("scheduled_publication", "review_id", "review"),
        _refers("scheduled_publication", "approved_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_publication")),
    )
    op.create_index(
        "uq_scheduled_publication_review_id_open",
        "scheduled_publication",
        ["review_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _add_link_check() -> None:
    op.create_table(
        "link_check",
        sa.Column("address", WORDS, nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fault", WORDS, nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_link_check")),
    )


def upgrade() -> None:
    """Apply."""
    _add_clarity()
    _add_archiving()
    _add_minimum_version()
    _add_schedule()
    _add_link_check()
    protect(MODULE_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(MODULE_FACT_TABLES)
    op.drop_table("link_check")
    op.drop_table("scheduled_publication")
    op.drop_table("minimum_version")
    op.drop_table("module_archiving")
    op.drop_table("clarity_reply")
    op.drop_table("clarity_words")
    op.drop_table("clarity_answer")
