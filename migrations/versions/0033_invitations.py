"""Adds invitations to set a first password, and requests for a link to set a new one."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("invited_at", INSTANT, nullable=False),
        sa.Column("invited_by_id", ID, nullable=False),
        sa.Column("message_id", ID),
        sa.Column("expires_at", INSTANT),
        sa.Column("used_at", INSTANT),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_invitation_person_id")),
        sa.ForeignKeyConstraint(["invited_by_id"], ["person.id"], name=op.f("fk_invitation_invited_by_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_invitation_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("message_id", name=op.f("uq_invitation_message_id")),
    )
    for column in ("person_id", "batch"):
        op.create_index(op.f(f"ix_invitation_{column}"), "invitation", [column])
    op.create_table(
        "reset_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID),
        sa.Column("network", WORDS, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("handled_at", INSTANT),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reset_request_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset_request")),
    )
    op.create_index("ix_reset_request_network", "reset_request", ["network", "asked_at"])
    op.create_index(op.f("ix_reset_request_asked_at"), "reset_request", ["asked_at"])


def downgrade() -> None:
    """Undo; messages that invite or that hold a link to a new password go with it."""
    for table in ("reset_request", "invitation"):
        op.drop_table(table)
    op.execute("DELETE FROM message WHERE kind IN ('invitation', 'reset')")
