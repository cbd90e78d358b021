"""Adds signing in with the force's identity provider."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "provider_identity",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("issuer", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("claim_value", WORDS, nullable=False),
        sa.Column("bound_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_provider_identity_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_provider_identity_issuer_subject")),
        sa.UniqueConstraint("person_id", "issuer", name=op.f("uq_provider_identity_person_id_issuer")),
    )
    op.create_table(
        "refused_identity",
        sa.Column("id", ID, nullable=False),
        sa.Column("issuer", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("claim_value", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("person_id", ID),
        sa.Column("refused_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_refused_identity_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_refused_identity_issuer_subject")),
    )
    for column in ("person_id", "refused_at"):
        op.create_index(op.f(f"ix_refused_identity_{column}"), "refused_identity", [column])
    op.create_table(
        "spent_logout_token",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_spent_logout_token")),
    )
    op.create_index(op.f("ix_spent_logout_token_expires_at"), "spent_logout_token", ["expires_at"])
    op.add_column("sign_in_session", sa.Column("method", WORDS, nullable=False, server_default="password"))
    op.add_column("sign_in_session", sa.Column("provider_sid", WORDS))
    op.create_index(op.f("ix_sign_in_session_provider_sid"), "sign_in_session", ["provider_sid"])


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_sign_in_session_provider_sid"), table_name="sign_in_session")
    op.drop_column("sign_in_session", "provider_sid")
    op.drop_column("sign_in_session", "method")
    for table in ("spent_logout_token", "refused_identity", "provider_identity"):
        op.drop_table(table)
