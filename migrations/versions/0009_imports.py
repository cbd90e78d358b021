"""Adds tables of files on their way in, and of the saved ways to match columns."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _references(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("shape", WORDS, nullable=False),
        sa.Column("file_name", WORDS, nullable=False),
        sa.Column("sha256", WORDS, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("began_by_id", ID, nullable=True),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("columns", sa.JSON(), nullable=True),
        sa.Column("profile", WORDS, nullable=True),
        sa.Column("digest", WORDS, nullable=True),
        sa.Column("checked_at", INSTANT, nullable=True),
        sa.Column("bad_rows", sa.Integer(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        sa.Column("numbers", sa.JSON(), nullable=True),
        sa.Column("stamp", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('roster', 'completions')", name=op.f("ck_import_run_kind_is_known")),
        sa.CheckConstraint(
            "ended_as IN ('applied', 'cancelled', 'lapsed')", name=op.f("ck_import_run_end_is_known")
        ),
        _references("import_run", "began_by_id", "person"),
        _references("import_run", "ended_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index("ix_import_run_began_at", "import_run", ["began_at"])
    op.create_table(
        "import_content",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _references("import_content", "run_id", "import_run"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_import_content")),
    )
    op.create_table(
        "import_profile",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("saved_by_id", ID, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        _references("import_profile", "saved_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_import_profile_kind_name")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("import_profile")
    op.drop_table("import_content")
    op.drop_table("import_run")
