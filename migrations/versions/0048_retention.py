"""Retention: periods, disposals with a second person and a certificate, holds, requests to correct or erase.

Entries of the audit trail stay append-only, but for one way out: the database lets a DELETE through for rows
that a granted disposal covers, asked for by one person and granted by another, until its certificate is
written. All other facts keep their triggers as they are.
"""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import RETENTION_FACT_TABLES, protect, unprotect

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACCESS_ACTIONS = (
    "account.signed_in", "account.signed_in_again", "account.signed_out", "account.refused",
    "account.session_ended", "person.viewed", "audit.viewed",
)  # fmt: skip
_ACCESS = ", ".join(f"'{action}'" for action in ACCESS_ACTIONS)
_OF_EVENT = "(SELECT e.{column} FROM audit_event e WHERE e.id = OLD.event_id)"
# By table: its row's instant and act.
DISPOSABLE = {
    "audit_event": ("OLD.happened_at", "OLD.action"),
    "file_people": (_OF_EVENT.format(column="happened_at"), _OF_EVENT.format(column="action")),
}
_IS_COVERED = """EXISTS (
    SELECT 1 FROM disposal_request r JOIN disposal_decision d ON d.request_id = r.id
    WHERE d.outcome = 'granted' AND d.decided_by_id <> r.asked_by_id AND {happened_at} < r.before_at
      AND ((r.class_key = 'access' AND {action} IN ({access}))
        OR (r.class_key = 'audit' AND {action} NOT IN ({access})))
      AND NOT EXISTS (SELECT 1 FROM disposal_certificate c WHERE c.request_id = r.id))"""


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _make_table(table: str, key: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column(key, ID, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
    )


def _needs(name: str, kind: sa.types.TypeEngine[object]) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def _add_disposals() -> None:
    _make_table(
        "retention_period",
        "id",
        _needs("class_key", WORDS),
        _needs("months", sa.Integer()),
        _needs("set_by_id", ID),
        _needs("set_at", INSTANT),
        _refers("retention_period", "set_by_id", "person.id"),
    )
    op.create_index(op.f("ix_retention_period_class_key"), "retention_period", ["class_key"])
    _make_table(
        "disposal_request",
        "id",
        _needs("uuid", sa.Uuid()),
        _needs("class_key", WORDS),
        _needs("months", sa.Integer()),
        _needs("through_on", sa.Date()),
        _needs("before_at", INSTANT),
        _needs("rows", sa.Integer()),
        _needs("held", sa.Integer()),
        _needs("oldest_on", sa.Date()),
        _needs("asked_by_id", ID),
        _needs("asked_at", INSTANT),
        _refers("disposal_request", "asked_by_id", "person.id"),
        sa.UniqueConstraint("uuid", name=op.f("uq_disposal_request_uuid")),
    )
    op.create_index(op.f("ix_disposal_request_class_key"), "disposal_request", ["class_key"])
    _make_table(
        "disposal_decision",
        "request_id",
        _needs("outcome", WORDS),
        _needs("decided_by_id", ID),
        _needs("decided_at", INSTANT),
        sa.Column("job_reference", sa.Uuid(), nullable=True),
        _refers("disposal_decision", "request_id", "disposal_request.id"),
        _refers("disposal_decision", "decided_by_id", "person.id"),
        sa.CheckConstraint(
            "outcome IN ('granted', 'refused', 'withdrawn')",
            name=op.f("ck_disposal_decision_outcome_is_known"),
        ),
    )
    _make_table(
        "disposal_slice",
        "id",
        _needs("request_id", ID),
        _needs("disposed_at", INSTANT),
        _needs("counts", sa.JSON()),
        _refers("disposal_slice", "request_id", "disposal_request.id"),
    )
    op.create_index(op.f("ix_disposal_slice_request_id"), "disposal_slice", ["request_id"])
    _make_table(
        "disposal_certificate",
        "request_id",
        _needs("began_at", INSTANT),
        _needs("ended_at", INSTANT),
        _needs("rows", sa.Integer()),
        _needs("held", sa.Integer()),
        _needs("counts", sa.JSON()),
        _needs("words", sa.JSON()),
        _refers("disposal_certificate", "request_id", "disposal_request.id"),
    )


def _add_holds() -> None:
    _make_table(
        "legal_hold",
        "id",
        _needs("uuid", sa.Uuid()),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("unit_id", ID, nullable=True),
        sa.Column("class_key", WORDS, nullable=True),
        _needs("placed_by_id", ID),
        _needs("placed_at", INSTANT),
        _refers("legal_hold", "person_id", "person.id"),
        _refers("legal_hold", "unit_id", "unit.id"),
        _refers("legal_hold", "placed_by_id", "person.id"),
        sa.UniqueConstraint("uuid", name=op.f("uq_legal_hold_uuid")),
        sa.CheckConstraint(
            "(person_id IS NOT NULL AND unit_id IS NULL AND class_key IS NULL)"
            " OR (person_id IS NULL AND unit_id IS NOT NULL AND class_key IS NULL)"
            " OR (person_id IS NULL AND unit_id IS NULL AND class_key IS NOT NULL)",
            name=op.f("ck_legal_hold_one_subject"),
        ),
    )
    _make_table(
        "legal_hold_end",
        "hold_id",
        _needs("lifted_by_id", ID),
        _needs("lifted_at", INSTANT),
        _refers("legal_hold_end", "hold_id", "legal_hold.id"),
        _refers("legal_hold_end", "lifted_by_id", "person.id"),
    )


def _add_data_requests() -> None:
    _make_table(
        "data_request",
        "id",
        _needs("uuid", sa.Uuid()),
        _needs("kind", WORDS),
        _needs("person_id", ID),
        _needs("received_on", sa.Date()),
        _needs("due_on", sa.Date()),
        _needs("noted_by_id", ID),
        _needs("noted_at", INSTANT),
        _refers("data_request", "person_id", "person.id"),
        _refers("data_request", "noted_by_id", "person.id"),
        sa.UniqueConstraint("uuid", name=op.f("uq_data_request_uuid")),
        sa.CheckConstraint("kind IN ('correction', 'erasure')", name=op.f("ck_data_request_kind_is_known")),
    )
    op.create_index(op.f("ix_data_request_person_id"), "data_request", ["person_id"])
    _make_table(
        "data_answer",
        "request_id",
        _needs("outcome", WORDS),
        _needs("answered_by_id", ID),
        _needs("answered_at", INSTANT),
        _needs("counts", sa.JSON()),
        _refers("data_answer", "request_id", "data_request.id"),
        _refers("data_answer", "answered_by_id", "person.id"),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("ck_data_answer_outcome_is_known")),
    )


def _let_disposals_through() -> None:
    """Replace the trigger that refuses a DELETE by one that knows of granted disposals."""
    for table, (happened_at, action) in DISPOSABLE.items():
        covered = _IS_COVERED.format(happened_at=happened_at, action=action, access=_ACCESS)
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            op.execute(
                f"CREATE FUNCTION refuse_change_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
                f"BEGIN\n  IF TG_OP = 'DELETE' AND {covered} THEN RETURN OLD; END IF;\n"
                "  RAISE EXCEPTION '% is append-only: a correction is a new row', TG_TABLE_NAME;\nEND $$"
            )
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION refuse_change_of_{table}()"
            )
            continue
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT {covered} BEGIN"
            f" SELECT RAISE(ABORT, '{table} is append-only: a correction is a new row'); END"
        )


def upgrade() -> None:
    """Apply."""
    _add_disposals()
    _add_holds()
    _add_data_requests()
    protect(RETENTION_FACT_TABLES)
    _let_disposals_through()


def downgrade() -> None:
    """Undo; what was disposed of does not come back."""
    tables = tuple(DISPOSABLE)
    unprotect(tables)
    if op.get_bind().dialect.name == "postgresql":
        for table in tables:
            op.execute(f"DROP FUNCTION refuse_change_of_{table}()")
    protect(tables)
    unprotect(RETENTION_FACT_TABLES)
    for table in reversed(RETENTION_FACT_TABLES):
        op.drop_table(table)
