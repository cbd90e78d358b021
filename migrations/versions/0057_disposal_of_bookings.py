"""Lets a granted disposal remove what became of bookings, and entries of registers.

As with the audit trail, the database lets a DELETE through only for rows that a granted disposal covers,
asked for by one person and granted by another, until its certificate is written.
"""

from alembic import op

from migrations.append_only import protect, unprotect

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

DISPOSABLE = ("booking_change", "register_entry")
_IS_COVERED = """EXISTS (
    SELECT 1 FROM disposal_request r JOIN disposal_decision d ON d.request_id = r.id
    WHERE d.outcome = 'granted' AND d.decided_by_id <> r.asked_by_id AND r.class_key = 'events'
      AND OLD.recorded_at < r.before_at
      AND NOT EXISTS (SELECT 1 FROM disposal_certificate c WHERE c.request_id = r.id))"""


def upgrade() -> None:
    """Apply."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            "CREATE FUNCTION refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS $$\n"
            f"BEGIN\n  IF TG_OP = 'DELETE' AND {_IS_COVERED} THEN RETURN OLD; END IF;\n"
            "  RAISE EXCEPTION '% is append-only: a correction is a new row', TG_TABLE_NAME;\nEND $$"
        )
    for table in DISPOSABLE:
        if postgresql:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_events()"
            )
            continue
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT {_IS_COVERED} BEGIN"
            f" SELECT RAISE(ABORT, '{table} is append-only: a correction is a new row'); END"
        )


def downgrade() -> None:
    """Undo; what was disposed of does not come back."""
    unprotect(DISPOSABLE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_events()")
    protect(DISPOSABLE)
