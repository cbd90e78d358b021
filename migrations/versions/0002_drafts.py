"""Adds the tables of drafts of modules, their saved states and their reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("ended_at IS NULL")


def _references(table: str, column: str, other: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "draft",
        sa.Column("id", ID, nullable=False),
        sa.Column("module_key", WORDS, nullable=False),
        sa.Column("base_version_id", ID, nullable=True),
        sa.Column("opened_by_id", ID, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.CheckConstraint("ended_as IN ('published', 'discarded')", name=op.f("ck_draft_end_is_known")),
        _references("draft", "base_version_id", "module_version"),
        _references("draft", "opened_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index(
        "uq_draft_module_key_open",
        "draft",
        ["module_key"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "draft_content",
        sa.Column("sha256", WORDS, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_draft_content")),
    )
    op.create_table(
        "draft_save",
        sa.Column("id", ID, nullable=False),
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("saved_by_id", ID, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("summary", WORDS, nullable=False),
        sa.Column("base_version_id", ID, nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        _references("draft_save", "base_version_id", "module_version"),
        _references("draft_save", "draft_id", "draft"),
        _references("draft_save", "saved_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_save")),
        sa.UniqueConstraint("draft_id", "number", name=op.f("uq_draft_save_draft_id_number")),
    )
    op.create_table(
        "draft_presence",
        sa.Column("id", ID, nullable=False),
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("place", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        _references("draft_presence", "draft_id", "draft"),
        _references("draft_presence", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_presence")),
        sa.UniqueConstraint("draft_id", "place", name=op.f("uq_draft_presence_draft_id_place")),
    )
    op.create_table(
        "review",
        sa.Column("id", ID, nullable=False),
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("save_id", ID, nullable=False),
        sa.Column("sent_by_id", ID, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("note", WORDS, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        sa.Column("reason", WORDS, nullable=True),
        sa.CheckConstraint(
            "ended_as IN ('published', 'sent_back', 'withdrawn')", name=op.f("ck_review_end_is_known")
        ),
        _references("review", "draft_id", "draft"),
        _references("review", "ended_by_id", "person"),
        _references("review", "save_id", "draft_save"),
        _references("review", "sent_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(
        "uq_review_draft_id_open",
        "review",
        ["draft_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "review_comment",
        sa.Column("id", ID, nullable=False),
        sa.Column("review_id", ID, nullable=False),
        sa.Column("place", WORDS, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.Column("said_by_id", ID, nullable=False),
        sa.Column("said_at", INSTANT, nullable=False),
        _references("review_comment", "review_id", "review"),
        _references("review_comment", "said_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comment")),
    )
    op.create_index(op.f("ix_review_comment_review_id"), "review_comment", ["review_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table("review_comment")
    op.drop_table("review")
    op.drop_table("draft_presence")
    op.drop_table("draft_save")
    op.drop_table("draft_content")
    op.drop_table("draft")
