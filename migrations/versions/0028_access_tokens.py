"""Adds tokens with which other systems use the portal."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "access_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("scope", WORDS, nullable=False),
        sa.Column("unit_id", ID),
        sa.Column("directive_reference", WORDS),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by_id", ID),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("revoked_by_id", ID),
        sa.Column("last_used_at", INSTANT),
        sa.Column("last_address", WORDS),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_access_token_unit_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_access_token_created_by_id")),
        sa.ForeignKeyConstraint(["revoked_by_id"], ["person.id"], name=op.f("fk_access_token_revoked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("reference", name=op.f("uq_access_token_reference")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_token_token_hash")),
    )
    live = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_access_token_live_name", "access_token", ["name"],
        unique=True, sqlite_where=live, postgresql_where=live,
    )  # fmt: skip


def downgrade() -> None:
    """Undo."""
    op.drop_table("access_token")
