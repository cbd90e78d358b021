"""Adds mail about accounts, and the acts that each tells of."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _index_waiting(condition: str) -> None:
    where = sa.text(condition)
    op.drop_index("uq_message_waiting", "message")
    op.create_index(
        "uq_message_waiting",
        "message",
        ["person_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def upgrade() -> None:
    """Apply."""
    op.add_column("message", sa.Column("kind", WORDS, nullable=False, server_default="reminder"))
    op.add_column("message", sa.Column("email", WORDS, nullable=True))
    _index_waiting("state = 'waiting' AND kind = 'reminder'")
    op.create_table(
        "notice_line",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_notice_line_message_id")),
        sa.ForeignKeyConstraint(["event_id"], ["audit_event.id"], name=op.f("fk_notice_line_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_line")),
        sa.UniqueConstraint("message_id", "event_id", name=op.f("uq_notice_line_message_id_event_id")),
    )


def downgrade() -> None:
    """Undo; what is told of accounts goes with it."""
    op.drop_table("notice_line")
    op.execute("DELETE FROM message WHERE kind = 'notice'")
    _index_waiting("state = 'waiting'")
    op.drop_column("message", "email")
    op.drop_column("message", "kind")
