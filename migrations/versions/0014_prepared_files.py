"""Adds a table of files of reports that are made while nobody waits."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "prepared_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_id", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("directive", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("position", sa.JSON(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("made_at", INSTANT, nullable=True),
        sa.Column("stored", WORDS, nullable=True),
        sa.Column("called", WORDS, nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sight", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["person.id"], name=op.f("fk_prepared_file_asked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prepared_file")),
    )
    op.create_index(op.f("ix_prepared_file_asked_at"), "prepared_file", ["asked_at"])
    op.create_index("ix_prepared_file_asked_by_id_digest", "prepared_file", ["asked_by_id", "digest"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("prepared_file")
