"""Adds the tables of facts: people, catalogue, directives, records and statuses."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import FIRST_FACT_TABLES, forget, protect, unprotect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "activity",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_activity_kind_key")),
    )
    op.create_table(
        "directive",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directive")),
        sa.UniqueConstraint("reference", name=op.f("uq_directive_reference")),
    )
    op.create_table(
        "fact_note",
        sa.Column("id", ID, nullable=False),
        sa.Column("fact_table", WORDS, nullable=False),
        sa.Column("fact_id", ID, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_note")),
        sa.UniqueConstraint(
            "fact_table", "fact_id", "kind", name=op.f("uq_fact_note_fact_table_fact_id_kind")
        ),
    )
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "shared_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_version")),
        sa.UniqueConstraint("name", "number", name=op.f("uq_shared_version_name_number")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_hash", WORDS, nullable=False),
        sa.Column("address", WORDS, nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(
        "ix_failure_account", "sign_in_failure", ["account_hash", "address", "failed_at"], unique=False
    )
    op.create_index("ix_failure_address", "sign_in_failure", ["address", "failed_at"], unique=False)
    op.create_table(
        "stamp",
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("recorded_at", name=op.f("pk_stamp")),
    )
    op.create_table(
        "unit",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("subject_id", ID, nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_audit_event_actor_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["person.id"], name=op.f("fk_audit_event_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_actor_id"), "audit_event", ["actor_id"], unique=False)
    op.create_index(op.f("ix_audit_event_happened_at"), "audit_event", ["happened_at"], unique=False)
    op.create_index(op.f("ix_audit_event_subject_id"), "audit_event", ["subject_id"], unique=False)
    op.create_table(
        "credential",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("password_hash", WORDS, nullable=True),
        sa.Column("set_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_credential_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "directive_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("wording", WORDS, nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("target", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("notice_days", sa.JSON(), nullable=False),
        sa.Column("due_fixed_on", sa.Date(), nullable=True),
        sa.Column("due_days_after_joining", sa.Integer(), nullable=True),
        sa.Column("validity_months", sa.Integer(), nullable=True),
        sa.Column("yearly_on", WORDS, nullable=True),
        sa.Column("minimum_gap_months", sa.Integer(), nullable=True),
        sa.Column("expiring_days", sa.Integer(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.CheckConstraint("target BETWEEN 0 AND 1", name=op.f("ck_directive_version_target_is_scaled")),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_directive_version_directive_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_directive_version_owner_id")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["directive_version.id"], name=op.f("fk_directive_version_replaces_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directive_version")),
        sa.UniqueConstraint("directive_id", "number", name=op.f("uq_directive_version_directive_id_number")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_directive_version_replaces_id")),
    )
    op.create_table(
        "exclusion",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("exempt", sa.Boolean(), nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("decided_by_id", ID, nullable=True),
        sa.CheckConstraint("exempt OR due_on IS NOT NULL", name=op.f("ck_exclusion_deferral_has_due_date")),
        sa.CheckConstraint("from_on <= to_on", name=op.f("ck_exclusion_from_before_to")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["person.id"], name=op.f("fk_exclusion_decided_by_id")),
        sa.ForeignKeyConstraint(["directive_id"], ["directive.id"], name=op.f("fk_exclusion_directive_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_exclusion_person_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["exclusion.id"], name=op.f("fk_exclusion_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_exclusion_replaces_id")),
    )
    op.create_index(
        "ix_exclusion_person_directive", "exclusion", ["person_id", "directive_id", "from_on"], unique=False
    )
    op.create_table(
        "held_form",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("held_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_held_form_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_held_form")),
    )
    op.create_index(op.f("ix_held_form_person_id"), "held_form", ["person_id"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("scheme", WORDS, nullable=False),
        sa.Column("value", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_identifier_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifier")),
        sa.UniqueConstraint("scheme", "value", name=op.f("uq_identifier_scheme_value")),
    )
    op.create_index(op.f("ix_identifier_person_id"), "identifier", ["person_id"], unique=False)
    op.create_table(
        "module_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("aim", WORDS, nullable=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("mastery_score", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("draw", sa.Integer(), nullable=False),
        sa.Column("at_least_per_outcome", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("wait_minutes", sa.Integer(), nullable=False),
        sa.Column("test_out", sa.Boolean(), nullable=False),
        sa.Column("job_aid_title", WORDS, nullable=True),
        sa.Column("job_aid_html", WORDS, nullable=True),
        sa.Column("sources_version_id", ID, nullable=True),
        sa.Column("published_by_id", ID, nullable=True),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "mastery_score BETWEEN 0 AND 1", name=op.f("ck_module_version_mastery_score_is_scaled")
        ),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_module_version_activity_id")),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["person.id"], name=op.f("fk_module_version_published_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["sources_version_id"], ["shared_version.id"], name=op.f("fk_module_version_sources_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_module_version")),
        sa.UniqueConstraint("activity_id", "number", name=op.f("uq_module_version_activity_id_number")),
    )
    op.create_table(
        "password_link",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_password_link_created_by_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_password_link_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_link")),
    )
    op.create_index(op.f("ix_password_link_person_id"), "password_link", ["person_id"], unique=False)
    op.create_table(
        "person_name",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("staff_number", WORDS, nullable=False),
        sa.Column("surname", WORDS, nullable=False),
        sa.Column("forenames", WORDS, nullable=False),
        sa.Column("email", WORDS, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_name_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_name")),
        sa.UniqueConstraint("email", name=op.f("uq_person_name_email")),
        sa.UniqueConstraint("staff_number", name=op.f("uq_person_name_staff_number")),
    )
    op.create_table(
        "post",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("post_key", WORDS, nullable=False),
        sa.Column("rank_or_grade", WORDS, nullable=False),
        sa.Column("designated_role", WORDS, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("line_manager_id", ID, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_post_from_before_to")),
        sa.ForeignKeyConstraint(["line_manager_id"], ["person.id"], name=op.f("fk_post_line_manager_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_post_person_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["post.id"], name=op.f("fk_post_replaces_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_post_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_post_replaces_id")),
    )
    op.create_index(op.f("ix_post_line_manager_id"), "post", ["line_manager_id"], unique=False)
    op.create_index("ix_post_person_id_valid_from", "post", ["person_id", "valid_from"], unique=False)
    op.create_index(op.f("ix_post_unit_id"), "post", ["unit_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("achieved_at", INSTANT, nullable=False),
        sa.Column("achieved_on", sa.Date(), nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_record_activity_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_record_person_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["record.id"], name=op.f("fk_record_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_record_replaces_id")),
    )
    op.create_index(
        "ix_record_person_activity", "record", ["person_id", "activity_id", "achieved_on"], unique=False
    )
    op.create_index(
        "uq_record_reference_first",
        "record",
        ["reference"],
        unique=True,
        sqlite_where=sa.text("replaces_id IS NULL"),
        postgresql_where=sa.text("replaces_id IS NULL"),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("role", WORDS, nullable=False),
        sa.Column("unit_id", ID, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("given_by_id", ID, nullable=True),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_role_grant_from_before_to")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["person.id"], name=op.f("fk_role_grant_ended_by_id")),
        sa.ForeignKeyConstraint(["given_by_id"], ["person.id"], name=op.f("fk_role_grant_given_by_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_role_grant_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_person_id"), "role_grant", ["person_id"], unique=False)
    op.create_table(
        "sign_in_session",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("reference", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("csrf_secret", WORDS, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("end_reason", WORDS, nullable=True),
        sa.Column("browser", WORDS, nullable=False),
        sa.Column("address", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_session_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_session")),
        sa.UniqueConstraint("reference", name=op.f("uq_sign_in_session_reference")),
    )
    op.create_index(op.f("ix_sign_in_session_person_id"), "sign_in_session", ["person_id"], unique=False)
    op.create_table(
        "unit_state",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_unit_state_from_before_to")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_state_parent_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["unit_state.id"], name=op.f("fk_unit_state_replaces_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_state_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_state")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_unit_state_replaces_id")),
    )
    op.create_index(op.f("ix_unit_state_parent_id"), "unit_state", ["parent_id"], unique=False)
    op.create_index(op.f("ix_unit_state_unit_id"), "unit_state", ["unit_id"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("directive_version_id", ID, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("why", sa.Integer(), nullable=False),
        sa.CheckConstraint("from_on <= to_on", name=op.f("ck_assignment_from_before_to")),
        sa.ForeignKeyConstraint(["directive_id"], ["directive.id"], name=op.f("fk_assignment_directive_id")),
        sa.ForeignKeyConstraint(
            ["directive_version_id"],
            ["directive_version.id"],
            name=op.f("fk_assignment_directive_version_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_assignment_person_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["assignment.id"], name=op.f("fk_assignment_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_assignment_replaces_id")),
    )
    op.create_index(
        "ix_assignment_person_directive", "assignment", ["person_id", "directive_id", "from_on"], unique=False
    )
    op.create_table(
        "imported_record",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("source_system", WORDS, nullable=False),
        sa.Column("score_scaled", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.CheckConstraint("score_scaled BETWEEN 0 AND 1", name=op.f("ck_imported_record_score_is_scaled")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_imported_record_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_imported_record")),
    )
    op.create_table(
        "item",
        sa.Column("id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("outcome", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("prompt_html", WORDS, nullable=False),
        sa.Column("stimulus_html", WORDS, nullable=True),
        sa.Column("explanation_html", WORDS, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["module_version_id"], ["module_version.id"], name=op.f("fk_item_module_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("module_version_id", "key", name=op.f("uq_item_module_version_id_key")),
        sa.UniqueConstraint("module_version_id", "position", name=op.f("uq_item_module_version_id_position")),
    )
    op.create_table(
        "lesson",
        sa.Column("id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("html", WORDS, nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["module_version_id"], ["module_version.id"], name=op.f("fk_lesson_module_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson")),
        sa.UniqueConstraint("module_version_id", "key", name=op.f("uq_lesson_module_version_id_key")),
        sa.UniqueConstraint(
            "module_version_id", "position", name=op.f("uq_lesson_module_version_id_position")
        ),
    )
    op.create_table(
        "package_file",
        sa.Column("id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["module_version_id"], ["module_version.id"], name=op.f("fk_package_file_module_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_file")),
        sa.UniqueConstraint("module_version_id", "path", name=op.f("uq_package_file_module_version_id_path")),
    )
    op.create_table(
        "registration",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_registration_activity_id")),
        sa.ForeignKeyConstraint(
            ["module_version_id"], ["module_version.id"], name=op.f("fk_registration_module_version_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_registration_person_id")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["registration.id"], name=op.f("fk_registration_replaces_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_registration_replaces_id")),
    )
    op.create_index(
        "ix_registration_person_activity",
        "registration",
        ["person_id", "activity_id", "started_on"],
        unique=False,
    )
    op.create_table(
        "requirement",
        sa.Column("directive_version_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_requirement_activity_id")),
        sa.ForeignKeyConstraint(
            ["directive_version_id"],
            ["directive_version.id"],
            name=op.f("fk_requirement_directive_version_id"),
        ),
        sa.PrimaryKeyConstraint("directive_version_id", "position", name=op.f("pk_requirement")),
    )
    op.create_table(
        "revocation",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("decided_by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["decided_by_id"], ["person.id"], name=op.f("fk_revocation_decided_by_id")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_revocation_record_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["revocation.id"], name=op.f("fk_revocation_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_revocation_replaces_id")),
    )
    op.create_index(op.f("ix_revocation_record_id"), "revocation", ["record_id"], unique=False)
    op.create_table(
        "standing_span",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Integer(), nullable=False),
        sa.Column("to_on", sa.Integer(), nullable=False),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column("known_to", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Integer(), nullable=False),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("satisfied_on", sa.Integer(), nullable=True),
        sa.Column("valid_until", sa.Integer(), nullable=True),
        sa.Column("late_days", sa.Integer(), nullable=True),
        sa.Column("exclusion_id", ID, nullable=True),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_standing_span_directive_id")
        ),
        sa.ForeignKeyConstraint(
            ["exclusion_id"], ["exclusion.id"], name=op.f("fk_standing_span_exclusion_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_standing_span_person_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_standing_span_post_id")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_standing_span_record_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_standing_span_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_span")),
    )
    op.create_index("ix_span_person", "standing_span", ["person_id", "directive_id"], unique=False)
    op.create_index(
        "ix_span_unit",
        "standing_span",
        ["directive_id", "unit_id", "position", "status", "from_on", "to_on", "known_from", "known_to"],
        unique=False,
    )
    op.create_index(
        "ix_span_whole",
        "standing_span",
        ["directive_id", "unit_id", "status", "from_on", "to_on", "known_from", "known_to"],
        unique=False,
        sqlite_where=sa.text("position = 0"),
        postgresql_where=sa.text("position = 0"),
    )
    op.create_table(
        "waiver",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("decided_by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["decided_by_id"], ["person.id"], name=op.f("fk_waiver_decided_by_id")),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_waiver_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_waiver")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mastery_score", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint("mastery_score BETWEEN 0 AND 1", name=op.f("ck_attempt_mastery_score_is_scaled")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_attempt_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("registration_id", "number", name=op.f("uq_attempt_registration_id_number")),
    )
    op.create_table(
        "lesson_visit",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("lesson_id", ID, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.CheckConstraint("kind IN ('opened', 'completed')", name=op.f("ck_lesson_visit_kind_is_known")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lesson.id"], name=op.f("fk_lesson_visit_lesson_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_lesson_visit_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_visit")),
    )
    op.create_index(
        "ix_lesson_visit_registration", "lesson_visit", ["registration_id", "lesson_id", "kind"], unique=False
    )
    op.create_table(
        "pass_record",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("module_version_id", ID, nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("score_raw", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.Column("score_max", sa.Integer(), nullable=False),
        sa.Column("mastery_score", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.CheckConstraint(
            "mastery_score BETWEEN 0 AND 1", name=op.f("ck_pass_record_mastery_score_is_scaled")
        ),
        sa.CheckConstraint("score_raw BETWEEN 0 AND score_max", name=op.f("ck_pass_record_score_in_range")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_pass_record_attempt_id")),
        sa.ForeignKeyConstraint(
            ["module_version_id"], ["module_version.id"], name=op.f("fk_pass_record_module_version_id")
        ),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_pass_record_record_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_pass_record_registration_id")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_pass_record")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_pass_record_attempt_id")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_pass_record_registration_id")),
    )
    op.create_table(
        "response",
        sa.Column("id", ID, nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_response_attempt_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_response_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
    )
    op.create_index("ix_response_attempt_item", "response", ["attempt_id", "item_id", "id"], unique=False)
    op.create_table(
        "submission",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("score_raw", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.Column("score_max", sa.Integer(), nullable=False),
        sa.Column("mastery_score", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "mastery_score BETWEEN 0 AND 1", name=op.f("ck_submission_mastery_score_is_scaled")
        ),
        sa.CheckConstraint("score_raw BETWEEN 0 AND score_max", name=op.f("ck_submission_score_in_range")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_submission_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_submission")),
    )
    protect(FIRST_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(FIRST_FACT_TABLES)
    forget()
    op.drop_table("submission")
    op.drop_index("ix_response_attempt_item", table_name="response")
    op.drop_table("response")
    op.drop_table("pass_record")
    op.drop_index("ix_lesson_visit_registration", table_name="lesson_visit")
    op.drop_table("lesson_visit")
    op.drop_table("attempt")
    op.drop_table("waiver")
    op.drop_index(
        "ix_span_whole",
        table_name="standing_span",
        sqlite_where=sa.text("position = 0"),
        postgresql_where=sa.text("position = 0"),
    )
    op.drop_index("ix_span_unit", table_name="standing_span")
    op.drop_index("ix_span_person", table_name="standing_span")
    op.drop_table("standing_span")
    op.drop_index(op.f("ix_revocation_record_id"), table_name="revocation")
    op.drop_table("revocation")
    op.drop_table("requirement")
    op.drop_index("ix_registration_person_activity", table_name="registration")
    op.drop_table("registration")
    op.drop_table("package_file")
    op.drop_table("lesson")
    op.drop_table("item")
    op.drop_table("imported_record")
    op.drop_index("ix_assignment_person_directive", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_unit_state_unit_id"), table_name="unit_state")
    op.drop_index(op.f("ix_unit_state_parent_id"), table_name="unit_state")
    op.drop_table("unit_state")
    op.drop_index(op.f("ix_sign_in_session_person_id"), table_name="sign_in_session")
    op.drop_table("sign_in_session")
    op.drop_index(op.f("ix_role_grant_person_id"), table_name="role_grant")
    op.drop_table("role_grant")
    op.drop_index(
        "uq_record_reference_first",
        table_name="record",
        sqlite_where=sa.text("replaces_id IS NULL"),
        postgresql_where=sa.text("replaces_id IS NULL"),
    )
    op.drop_index("ix_record_person_activity", table_name="record")
    op.drop_table("record")
    op.drop_index(op.f("ix_post_unit_id"), table_name="post")
    op.drop_index("ix_post_person_id_valid_from", table_name="post")
    op.drop_index(op.f("ix_post_line_manager_id"), table_name="post")
    op.drop_table("post")
    op.drop_table("person_name")
    op.drop_index(op.f("ix_password_link_person_id"), table_name="password_link")
    op.drop_table("password_link")
    op.drop_table("module_version")
    op.drop_index(op.f("ix_identifier_person_id"), table_name="identifier")
    op.drop_table("identifier")
    op.drop_index(op.f("ix_held_form_person_id"), table_name="held_form")
    op.drop_table("held_form")
    op.drop_index("ix_exclusion_person_directive", table_name="exclusion")
    op.drop_table("exclusion")
    op.drop_table("directive_version")
    op.drop_table("credential")
    op.drop_index(op.f("ix_audit_event_subject_id"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_happened_at"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_actor_id"), table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_table("unit")
    op.drop_table("stamp")
    op.drop_index("ix_failure_address", table_name="sign_in_failure")
    op.drop_index("ix_failure_account", table_name="sign_in_failure")
    op.drop_table("sign_in_failure")
    op.drop_table("shared_version")
    op.drop_table("person")
    op.drop_table("fact_note")
    op.drop_table("directive")
    op.drop_table("activity")
