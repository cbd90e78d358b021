"""Files of the watched folder, the latest look at it, and imports that came from it."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "import_run", sa.Column("from_folder", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "folder_file",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("profile", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", WORDS, nullable=True),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("asks_values", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("place", WORDS, nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'imported', 'repeated', 'quarantined')",
            name=op.f("ck_folder_file_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["import_run.id"], name=op.f("fk_folder_file_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder_file")),
    )
    op.create_index("ix_folder_file_kind_profile", "folder_file", ["kind", "profile", "sha256"])
    op.create_index("ix_folder_file_moved", "folder_file", ["moved"])
    op.create_table(
        "folder_look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("looked_at", INSTANT, nullable=False),
        sa.Column("fault", WORDS, nullable=False),
        sa.Column("arrived", sa.Integer(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder_look")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("folder_look")
    op.drop_table("folder_file")
    op.drop_column("import_run", "from_folder")
