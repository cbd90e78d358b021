"""Adds tables of mail that waits or went, and of when directives remind."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("reason", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_message_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("reference", name=op.f("uq_message_reference")),
        sa.UniqueConstraint("person_id", "sent_on", name="uq_message_one_a_day"),
    )
    op.create_index(
        "uq_message_waiting",
        "message",
        ["person_id"],
        unique=True,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index("ix_message_state", "message", ["state", "not_before"])
    op.create_index(op.f("ix_message_person_id"), "message", ["person_id"])
    op.create_table(
        "message_line",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("about_id", ID, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("asked_by_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_line_message_id")),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_message_line_directive_id")
        ),
        sa.ForeignKeyConstraint(["about_id"], ["person.id"], name=op.f("fk_message_line_about_id")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["person.id"], name=op.f("fk_message_line_asked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_line")),
        sa.UniqueConstraint(
            "message_id",
            "directive_id",
            "about_id",
            "reason",
            name=op.f("uq_message_line_message_id_directive_id_about_id_reason"),
        ),
    )
    op.create_index("ix_message_line_about", "message_line", ["about_id", "directive_id", "reason"])
    op.create_table(
        "reminder_rule",
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("notice_days", sa.JSON(), nullable=False),
        sa.Column("overdue_every", sa.Integer(), nullable=False),
        sa.Column("escalate_after", sa.Integer(), nullable=False),
        sa.Column("ending_days", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_reminder_rule_directive_id")
        ),
        sa.PrimaryKeyConstraint("directive_id", name=op.f("pk_reminder_rule")),
    )
    op.create_table(
        "reminder_run",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_reminder_run")),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("reminder_run", "reminder_rule", "message_line", "message"):
        op.drop_table(table)
