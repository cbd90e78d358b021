"""Adds to the audit trail from where and with what outcome each act came, and makes its indexes anew."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import AUDIT_FACT_TABLES, protect, unprotect

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
needs_stop = True
seconds_per_million_rows = {
    "sqlite": {"audit_event": 6.0},
    "postgresql": {"audit_event": 8.0},
}

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
NEW_COLUMNS = {"outcome": "done", "channel": "", "agent": "", "address": "", "request_id": ""}
OLD_INDEXES = ("happened_at", "actor_id", "subject_id")
PARTIAL_INDEXES = {
    "address": "address <> ''",
    "request_id": "request_id <> ''",
    "outcome": "outcome <> 'done'",
    "channel": "channel NOT IN ('', 'page')",
}


def upgrade() -> None:
    """Apply. Rows keep their triggers: a column with a default is added without touching any row."""
    for name, value in NEW_COLUMNS.items():
        op.add_column("audit_event", sa.Column(name, WORDS, nullable=False, server_default=value))
    for column in OLD_INDEXES:
        op.drop_index(f"ix_audit_event_{column}", "audit_event")
    op.create_index("ix_audit_event_happened_at", "audit_event", ["happened_at", "id"])
    for column in ("actor_id", "subject_id", "action"):
        op.create_index(f"ix_audit_event_{column}", "audit_event", [column, "happened_at", "id"])
    for column, condition in PARTIAL_INDEXES.items():
        where = sa.text(condition)
        op.create_index(
            f"ix_audit_event_{column}",
            "audit_event",
            [column, "happened_at", "id"],
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "file_people",
        sa.Column("event_id", ID, nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["audit_event.id"], name=op.f("fk_file_people_event_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_file_people")),
    )
    protect(AUDIT_FACT_TABLES)
    op.add_column("prepared_file", sa.Column("event_id", ID))


def downgrade() -> None:
    """Undo; where acts came from, and whom files held, goes with it."""
    op.drop_column("prepared_file", "event_id")
    unprotect(AUDIT_FACT_TABLES)
    op.drop_table("file_people")
    for column in (*PARTIAL_INDEXES, "action", "subject_id", "actor_id", "happened_at"):
        op.drop_index(f"ix_audit_event_{column}", "audit_event")
    for column in OLD_INDEXES:
        op.create_index(f"ix_audit_event_{column}", "audit_event", [column])
    for name in NEW_COLUMNS:
        op.drop_column("audit_event", name)
