"""Adds to drafts the version of a guide that each is based on."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("draft", "draft_save")


def upgrade() -> None:
    """Apply."""
    kind = "INTEGER" if op.get_context().dialect.name == "sqlite" else "BIGINT"
    for table in TABLES:  # written out, since SQLite takes a reference only with its column
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN base_guide_version_id {kind}"
            f" CONSTRAINT fk_{table}_base_guide_version_id REFERENCES guide_version (id)"
        )


def downgrade() -> None:
    """Undo."""
    for table in TABLES:
        op.drop_column(table, "base_guide_version_id")
