"""Adds a table of assertions of SAML that were accepted, so that none counts twice."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "received_assertion",
        sa.Column("assertion_hash", WORDS, nullable=False),
        sa.Column("token_hash", WORDS),
        sa.Column("request_id", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("claim_value", WORDS, nullable=False),
        sa.Column("signed_in_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("assertion_hash", name=op.f("pk_received_assertion")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_received_assertion_token_hash")),
    )
    op.create_index(op.f("ix_received_assertion_expires_at"), "received_assertion", ["expires_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("received_assertion")
