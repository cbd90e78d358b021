"""Triggers that refuse update, delete and truncate of facts, on both databases."""

from alembic import op

FIRST_FACT_TABLES = (
    "stamp", "person", "unit", "unit_state", "post",
    "activity", "shared_version", "module_version", "package_file", "lesson", "item",
    "directive", "directive_version", "requirement", "assignment", "exclusion",
    "registration", "lesson_visit", "attempt", "response", "submission",
    "record", "pass_record", "waiver", "imported_record", "revocation",
    "audit_event", "guide_version", "guide_file", "acknowledgement", "extra_attempt",
    "decision_request", "decision",
)  # fmt: skip
AUDIT_FACT_TABLES = ("file_people",)
CASE_FACT_TABLES = ("case_run", "case_step")
MODULE_FACT_TABLES = ("module_archiving", "minimum_version")
CASE_COPY_FACT_TABLES = ("case_copy", "case_copy_end", "case_rubric")
RETENTION_FACT_TABLES = (
    "retention_period", "disposal_request", "disposal_decision", "disposal_slice", "disposal_certificate",
    "legal_hold", "legal_hold_end", "data_request", "data_answer",
)  # fmt: skip
EVENT_FACT_TABLES = ("event_type_version", "event", "event_version", "event_facilitator")
ATTENDANCE_FACT_TABLES = ("booking_change", "register_entry", "attendance_outcome", "attendance_record")
EXERCISE_FACT_TABLES = ("exercise", "exercise_version", "exercise_file")
ASSURANCE_FACT_TABLES = (
    "recommendation", "recommendation_version", "recommendation_owner",
    "assurance_action", "action_version", "action_dependency",
    "assurance_decision", "risk_assessment", "narrative",
    "evidence", "evidence_version", "evidence_document", "evidence_link_check",
    "judgement", "judgement_decision", "plan_version",
)  # fmt: skip
SAMPLE_FACT_TABLES = ("dip_sample",)
RETURN_FACT_TABLES = (
    "own_return", "comparison",
    "coordinated_force", "force_details", "force_key", "return_period", "force_return", "return_figure",
)  # fmt: skip
REHEARSED_TABLES = ("exercise_run", "run_step", "log_entry", "run_action")  # a rehearsal's rows are removed
FACT_TABLES = (
    FIRST_FACT_TABLES
    + AUDIT_FACT_TABLES
    + CASE_FACT_TABLES
    + MODULE_FACT_TABLES
    + CASE_COPY_FACT_TABLES
    + RETENTION_FACT_TABLES
    + EVENT_FACT_TABLES
    + ATTENDANCE_FACT_TABLES
    + EXERCISE_FACT_TABLES
    + ASSURANCE_FACT_TABLES
    + SAMPLE_FACT_TABLES
    + RETURN_FACT_TABLES
)

_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: a correction is a new row', TG_TABLE_NAME;
END $$
"""


def protect(tables: tuple[str, ...]) -> None:
    """Refuse update, delete and (PostgreSQL) truncate of these tables' rows."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(_REFUSE)
    for table in tables:
        if postgresql:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN"
                f" SELECT RAISE(ABORT, '{table} is append-only: a correction is a new row'); END"
            )


def unprotect(tables: tuple[str, ...]) -> None:
    """Take the triggers of ``protect`` away; the function stays for the tables of other migrations."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in tables:
        if postgresql:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        else:
            op.execute(f"DROP TRIGGER {table}_no_update")
            op.execute(f"DROP TRIGGER {table}_no_delete")


def refuse_updates(table: str) -> None:
    """Refuse update of a table's rows, which may be erased; its triggers go when the table is dropped."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN"
        f" SELECT RAISE(ABORT, '{table} is append-only: a correction is a new row'); END"
    )


def keep_unless(table: str, exception: str) -> None:
    """Refuse update of a table's rows, and delete unless a condition on ``OLD`` holds.

    The triggers go when the table is dropped.

    Args:
        table: Its name.
        exception: The condition, in SQL of both databases.
    """
    refuse_updates(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {exception} THEN"
            " RETURN OLD; END IF; RAISE EXCEPTION '% is append-only: a correction is a new row',"
            " TG_TABLE_NAME; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_keep()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT ({exception}) BEGIN"
        f" SELECT RAISE(ABORT, '{table} is append-only: a correction is a new row'); END"
    )


def forget_keeping(table: str) -> None:
    """Take the function of ``keep_unless`` away, after its table was dropped."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {table}_keep()")


def forget() -> None:
    """Take the function away that the triggers of ``protect`` call; the last table is unprotected by now."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
