"""Adds tables of what is asked of a directive's owner, and what was decided."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import DECISION_FACT_TABLES, protect, unprotect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('exemption', 'deferral', 'waiver', 'revocation', 'lift', 'restore')"
OUTCOMES = "outcome IN ('granted', 'refused', 'withdrawn')"


def _reference(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "decision_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("asked_by_id", ID, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("directive_id", ID, nullable=True),
        sa.Column("activity_id", ID, nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("exclusion_id", ID, nullable=True),
        sa.Column("revocation_id", ID, nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_decision_request_kind_is_known")),
        _reference("decision_request", "person_id", "person"),
        _reference("decision_request", "asked_by_id", "person"),
        _reference("decision_request", "directive_id", "directive"),
        _reference("decision_request", "activity_id", "activity"),
        _reference("decision_request", "record_id", "record"),
        _reference("decision_request", "exclusion_id", "exclusion"),
        _reference("decision_request", "revocation_id", "revocation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_request")),
        sa.UniqueConstraint("uuid", name=op.f("uq_decision_request_uuid")),
    )
    op.create_index("ix_decision_request_asked_by_id", "decision_request", ["asked_by_id"])
    op.create_index("ix_decision_request_person_id_kind", "decision_request", ["person_id", "kind"])
    op.create_table(
        "decision",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("request_id", ID, nullable=False),
        sa.Column("outcome", WORDS, nullable=False),
        sa.Column("decided_by_id", ID, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("exclusion_id", ID, nullable=True),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("revocation_id", ID, nullable=True),
        sa.CheckConstraint(OUTCOMES, name=op.f("ck_decision_outcome_is_known")),
        _reference("decision", "request_id", "decision_request"),
        _reference("decision", "decided_by_id", "person"),
        _reference("decision", "exclusion_id", "exclusion"),
        _reference("decision", "record_id", "record"),
        _reference("decision", "revocation_id", "revocation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("request_id", name=op.f("uq_decision_request_id")),
    )
    protect(DECISION_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(DECISION_FACT_TABLES)
    op.drop_table("decision")
    op.drop_table("decision_request")
