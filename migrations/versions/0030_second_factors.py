"""Adds second factors, and when a session's person last showed who they are."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "factor",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("label", WORDS, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary()),
        sa.Column("last_step", ID),
        sa.Column("credential_id", WORDS),
        sa.Column("public_key", sa.LargeBinary()),
        sa.Column("sign_count", ID),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_factor_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor")),
        sa.UniqueConstraint("reference", name=op.f("uq_factor_reference")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_factor_credential_id")),
    )
    op.create_index(op.f("ix_factor_person_id"), "factor", ["person_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("code_hash", WORDS, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"])
    op.create_table(
        "pending_sign_in",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pending_sign_in_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_pending_sign_in")),
    )
    for column in ("person_id", "expires_at"):
        op.create_index(op.f(f"ix_pending_sign_in_{column}"), "pending_sign_in", [column])
    op.create_table(
        "spent_challenge",
        sa.Column("challenge_hash", WORDS, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_spent_challenge")),
    )
    op.create_index(op.f("ix_spent_challenge_expires_at"), "spent_challenge", ["expires_at"])
    op.add_column("sign_in_session", sa.Column("factor", WORDS))
    op.add_column("sign_in_session", sa.Column("authenticated_at", INSTANT))


def downgrade() -> None:
    """Undo."""
    for column in ("authenticated_at", "factor"):
        op.drop_column("sign_in_session", column)
    for table in ("spent_challenge", "pending_sign_in", "recovery_code", "factor"):
        op.drop_table(table)
