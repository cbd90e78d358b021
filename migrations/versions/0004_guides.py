"""Adds guides, their acknowledgements, and the words that can be searched."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import GUIDE_FACT_TABLES, protect, unprotect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# SQLite: a full-text index beside the table, kept true by triggers. PostgreSQL: an index over an expression.
_SQLITE = (
    "CREATE VIRTUAL TABLE search_words USING fts5(title, words, content='search_entry', content_rowid='id',"
    " tokenize='porter unicode61')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN"
    " INSERT INTO search_words(rowid, title, words) VALUES (new.id, new.title, new.words); END",
    "CREATE TRIGGER search_entry_removed AFTER DELETE ON search_entry BEGIN"
    " INSERT INTO search_words(search_words, rowid, title, words)"
    " VALUES ('delete', old.id, old.title, old.words); END",
)
_POSTGRESQL = (
    "CREATE INDEX ix_search_entry_words ON search_entry USING gin ("
    "(setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', words), 'B')))",
)


def _references(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "guide_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("summary", WORDS, nullable=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("acknowledge", sa.Boolean(), nullable=False),
        sa.Column("html", WORDS, nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("published_by_id", ID, nullable=True),
        sa.Column("published_at", INSTANT, nullable=False),
        _references("guide_version", "activity_id", "activity"),
        _references("guide_version", "published_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_version")),
        sa.UniqueConstraint("activity_id", "number", name=op.f("uq_guide_version_activity_id_number")),
    )
    op.create_table(
        "guide_file",
        sa.Column("id", ID, nullable=False),
        sa.Column("guide_version_id", ID, nullable=False),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", WORDS, nullable=False),
        _references("guide_file", "guide_version_id", "guide_version"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_file")),
        sa.UniqueConstraint("guide_version_id", "path", name=op.f("uq_guide_file_guide_version_id_path")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("guide_version_id", ID, nullable=False),
        _references("acknowledgement", "guide_version_id", "guide_version"),
        _references("acknowledgement", "record_id", "record"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_acknowledgement")),
    )
    op.create_table(
        "search_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("address", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("above", WORDS, nullable=False),
        sa.Column("words", WORDS, nullable=False),
        _references("search_entry", "activity_id", "activity"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entry")),
    )
    op.create_index(op.f("ix_search_entry_activity_id"), "search_entry", ["activity_id"], unique=False)
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
    protect(GUIDE_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(GUIDE_FACT_TABLES)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    op.drop_table("search_entry")
    op.drop_table("acknowledgement")
    op.drop_table("guide_file")
    op.drop_table("guide_version")
