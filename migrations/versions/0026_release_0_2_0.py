"""Makes the tables of release 0.2.0, with their indexes and triggers.

It stands for the migrations up to that release, and has the revision of the last of them: an installation of
0.2.0 has run it. A restore compares a backup's schema with what is made here to the letter, and SQLite keeps
the text of each statement; so a column that an earlier release added to a table is added here as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.append_only import FIRST_FACT_TABLES, forget, protect
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to

revision = "0026"
down_revision = None
branch_labels = None
depends_on = None
release = "0.2.0"  # the oldest that can be upgraded to the present one

BYTES, DAY, JSON, NUMBER, UUID = sa.LargeBinary(), sa.Date(), sa.JSON(), sa.Integer(), sa.Uuid()
SCORE, SHARE, YES_OR_NO = sa.Numeric(7, 4), sa.Numeric(5, 4), sa.Boolean()
MICROSECONDS = sa.BigInteger()  # since 1970
OPEN = 2**63 - 1  # ``known_to`` of rows that nothing has superseded
REQUESTS = "'exemption', 'deferral', 'waiver', 'revocation', 'lift', 'restore'"
FIRST_EVENING = "(from_on - 719163) * 86400000000 + 72000000000"  # 20:00 UTC of the first day

TABLES = (
    "person", "person_name", "identifier", "unit", "unit_state", "post", "stamp", "audit_event",
    "fact_note", "credential", "password_link", "role_grant", "known_browser", "held_form",
    "sign_in_session", "sign_in_failure", "activity", "shared_version", "module_version", "package_file",
    "lesson", "item", "guide_version", "guide_file", "search_entry", "draft", "draft_content", "draft_save",
    "draft_presence", "review", "review_comment", "directive", "directive_version", "requirement",
    "assignment", "exclusion", "registration", "lesson_visit", "extra_attempt", "attempt", "response",
    "submission", "record", "pass_record", "imported_record", "waiver", "revocation", "acknowledgement",
    "status_period", "status_group", "status_count", "status_count_snapshot", "job", "prepared_file",
    "import_run", "import_content", "import_profile", "decision_request", "decision", "message",
    "message_line", "notice_line", "reminder_rule", "reminder_run", "untold_manager", "report_look",
)  # fmt: skip
# Indexes, constraints and sequences keep the earlier names of their tables.
RENAMED = {
    "standing_span": "status_period",
    "standing_group": "status_group",
    "standing_total": "status_count",
    "standing_kept": "status_count_snapshot",
}

# SQLite: a full-text index beside the table, kept true by triggers. PostgreSQL: an index over an expression.
SEARCH_ON_SQLITE = (
    "CREATE VIRTUAL TABLE search_words USING fts5(title, words, content='search_entry', content_rowid='id',"
    " tokenize='porter unicode61')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN"
    " INSERT INTO search_words(rowid, title, words) VALUES (new.id, new.title, new.words); END",
    "CREATE TRIGGER search_entry_removed AFTER DELETE ON search_entry BEGIN"
    " INSERT INTO search_words(search_words, rowid, title, words)"
    " VALUES ('delete', old.id, old.title, old.words); END",
)
SEARCH_ON_POSTGRESQL = (
    "CREATE INDEX ix_search_entry_words ON search_entry USING gin ("
    "(setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', words), 'B')))",
)
# Of PostgreSQL alone: it needs no extension, which an administrator would have to allow, and which a backup
# could not bring along.
PARTS_OF_NAME = """
CREATE FUNCTION parts_of_name(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ARRAY(SELECT substr(name, place, 3) FROM generate_series(1, length(name) - 2) AS place) $$
"""
INDEX_OF_PARTS = """
CREATE INDEX ix_person_name_parts ON person_name
USING gin (parts_of_name(lower(surname || ' ' || forenames || ' ' || staff_number)))
"""

Columns = Sequence[sa.Column[Any]]


def upgrade() -> None:
    """Apply."""
    for make in (
        _make_people, _make_trail, _make_accounts, _make_sign_ins, _make_modules, _make_guides,
        _make_drafts, _make_reviews, _make_directives, _make_registrations, _make_attempts, _make_records,
        _make_what_bears_on_records, _make_status_periods, _make_status_counts, _make_jobs, _make_imports,
        _make_decisions, _make_mail, _make_reminders,
    ):  # fmt: skip
        make()
    if _is_sqlite():
        op.execute("PRAGMA legacy_alter_table = OFF")  # on in some builds: references would keep the old name
    for old, new in RENAMED.items():
        op.rename_table(old, new)
    protect(FIRST_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    if _is_sqlite():
        op.execute("DROP TABLE search_words")
    for table in reversed(TABLES):
        op.drop_table(table)
    if not _is_sqlite():
        op.execute("DROP FUNCTION parts_of_name")
    forget()


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def needed(kind: sa.types.TypeEngine[Any], *names: str) -> Columns:
    """Columns of one kind that are never null."""
    return [sa.Column(name, kind, nullable=False) for name in names]


def optional(kind: sa.types.TypeEngine[Any], *names: str) -> Columns:
    """Columns of one kind that may be null."""
    return [sa.Column(name, kind, nullable=True) for name in names]


def fact() -> Columns:
    """The first columns of a fact."""
    return [*needed(ID, "id"), *needed(INSTANT, "recorded_at")]


def correctable() -> Columns:
    """The first columns of a fact that a later one can replace."""
    return [*fact(), *optional(ID, "replaces_id"), *needed(YES_OR_NO, "void")]


def make_table(
    name: str,
    *columns: Columns,
    key: Sequence[str] = ("id",),
    refers: Mapping[str, str] | None = None,
    checks: Mapping[str, str] | None = None,
    unique: Sequence[Sequence[str]] = (),
    unique_as: Mapping[str, Sequence[str]] | None = None,
    **options: Any,
) -> None:
    """Make a table; its constraints are named as the models name them.

    Args:
        name: Of the table.
        columns: In their order.
        key: The columns of the primary key.
        refers: The table to whose ``id`` a column refers.
        checks: The condition, by the end of its name.
        unique: The columns of each unique constraint.
        unique_as: The same of those with a name of their own.
        options: Of SQLAlchemy.
    """
    all_unique = {f"uq_{name}_{'_'.join(each)}": each for each in unique} | dict(unique_as or {})
    op.create_table(
        name,
        *(column for group in columns for column in group),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_{name}_{end}"))
            for end, condition in (checks or {}).items()
        ),
        *(refer_to(name, column, f"{target}.id") for column, target in (refers or {}).items()),
        make_key(name, *key),
        *(sa.UniqueConstraint(*each, name=op.f(title)) for title, each in all_unique.items()),
        **options,
    )


def make_index(table: str, *columns: str, name: str = "", unique: bool = False, where: str = "") -> None:
    """Make an index of a table, of those rows alone that meet a condition if there is one."""
    condition = sa.text(where) if where else None
    op.create_index(
        op.f(name or f"ix_{table}_{'_'.join(columns)}"),
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


# fmt: off
# A line holds as many columns as fit.


def _make_people() -> None:
    make_table("person", fact())
    make_table(
        "person_name",
        needed(ID, "person_id"), needed(WORDS, "staff_number", "surname", "forenames"),
        optional(WORDS, "email"),
        key=("person_id",), refers={"person_id": "person"},
        unique=[("email",), ("staff_number",)],
    )
    make_index("person_name", "surname", "staff_number", "person_id", name="ix_person_name_in_order")
    if not _is_sqlite():
        op.execute(PARTS_OF_NAME)
        op.execute(INDEX_OF_PARTS)
    make_table(
        "identifier",
        needed(ID, "id", "person_id"), needed(WORDS, "scheme", "value"),
        refers={"person_id": "person"},
        unique=[("scheme", "value")],
    )
    make_index("identifier", "person_id")
    make_table("unit", fact())
    make_table(
        "unit_state",
        correctable(), needed(ID, "unit_id"), needed(WORDS, "name"), optional(ID, "parent_id"),
        needed(DAY, "valid_from", "valid_to"),
        refers={"parent_id": "unit", "replaces_id": "unit_state", "unit_id": "unit"},
        checks={"from_before_to": "valid_from <= valid_to"},
        unique=[("replaces_id",)],
    )
    make_index("unit_state", "parent_id")
    make_index("unit_state", "unit_id")
    make_table(
        "post",
        correctable(), needed(ID, "person_id"),
        needed(WORDS, "post_key", "rank_or_grade", "designated_role"), needed(ID, "unit_id"),
        optional(ID, "line_manager_id"), needed(DAY, "valid_from", "valid_to"),
        refers={"line_manager_id": "person", "person_id": "person", "replaces_id": "post",
                "unit_id": "unit"},
        checks={"from_before_to": "valid_from <= valid_to"},
        unique=[("replaces_id",)],
    )
    make_index("post", "line_manager_id")
    make_index("post", "person_id", "valid_from")
    make_index("post", "unit_id")


def _make_trail() -> None:
    make_table("stamp", needed(INSTANT, "recorded_at"), key=("recorded_at",))
    op.add_column("stamp", sa.Column("clock_at", INSTANT, nullable=True))
    make_table(
        "audit_event",
        needed(ID, "id"), needed(INSTANT, "happened_at"), optional(ID, "actor_id"), needed(WORDS, "action"),
        optional(ID, "subject_id"), needed(JSON, "detail"),
        refers={"actor_id": "person", "subject_id": "person"},
    )
    make_index("audit_event", "actor_id")
    make_index("audit_event", "happened_at")
    make_index("audit_event", "subject_id")
    make_table(
        "fact_note",
        needed(ID, "id"), needed(WORDS, "fact_table"), needed(ID, "fact_id"), needed(WORDS, "kind", "text"),
        unique=[("fact_table", "fact_id", "kind")],
    )


def _make_accounts() -> None:
    make_table(
        "credential",
        needed(ID, "person_id"), optional(WORDS, "password_hash"), optional(INSTANT, "set_at", "closed_at"),
        key=("person_id",), refers={"person_id": "person"},
    )
    op.add_column("credential", sa.Column("password_rule", NUMBER, nullable=True))
    make_table(
        "password_link",
        needed(WORDS, "token_hash"), needed(ID, "person_id"), needed(INSTANT, "created_at"),
        optional(ID, "created_by_id"), needed(INSTANT, "expires_at"), optional(INSTANT, "used_at"),
        key=("token_hash",), refers={"created_by_id": "person", "person_id": "person"},
    )
    make_index("password_link", "person_id")
    make_index("password_link", "expires_at")
    make_table(
        "role_grant",
        needed(ID, "id", "person_id"), needed(WORDS, "role"), optional(ID, "unit_id"),
        needed(DAY, "valid_from", "valid_to"), optional(ID, "given_by_id"), needed(INSTANT, "given_at"),
        optional(INSTANT, "ended_at"), optional(ID, "ended_by_id"),
        refers={"ended_by_id": "person", "given_by_id": "person", "person_id": "person", "unit_id": "unit"},
        checks={"from_before_to": "valid_from <= valid_to"},
    )
    make_index("role_grant", "person_id")
    make_table(
        "known_browser",
        needed(WORDS, "browser_hash"), needed(ID, "person_id"), needed(INSTANT, "used_at"),
        key=("browser_hash",), refers={"person_id": "person"},
    )
    make_index("known_browser", "person_id")
    make_index("known_browser", "used_at")
    make_table(
        "held_form",
        needed(WORDS, "token_hash"), needed(ID, "person_id"), needed(BYTES, "sealed"),
        needed(INSTANT, "held_at", "expires_at"),
        key=("token_hash",), refers={"person_id": "person"},
    )
    make_index("held_form", "person_id")
    make_index("held_form", "expires_at")


def _make_sign_ins() -> None:
    make_table(
        "sign_in_session",
        needed(WORDS, "token_hash", "reference"), needed(ID, "person_id"), needed(WORDS, "csrf_secret"),
        needed(INSTANT, "created_at", "seen_at"), optional(INSTANT, "ended_at"),
        optional(WORDS, "end_reason"), needed(WORDS, "browser", "address"),
        key=("token_hash",), refers={"person_id": "person"},
        unique=[("reference",)],
    )
    op.add_column(
        "sign_in_session", sa.Column("must_change", YES_OR_NO, nullable=False, server_default=sa.false())
    )
    make_index("sign_in_session", "person_id")
    make_index("sign_in_session", "created_at")
    make_table(
        "sign_in_failure",
        needed(ID, "id"), needed(WORDS, "account_hash", "address"), needed(INSTANT, "failed_at"),
    )
    make_index("sign_in_failure", "address", "failed_at", name="ix_failure_address")
    make_index("sign_in_failure", "failed_at")
    make_index("sign_in_failure", "account_hash", "failed_at", name="ix_failure_account")


def _make_modules() -> None:
    make_table("activity", fact(), needed(WORDS, "kind", "key"), unique=[("kind", "key")])
    make_table(
        "shared_version",
        fact(), needed(WORDS, "name"), needed(NUMBER, "number"), needed(BYTES, "content"),
        unique=[("name", "number")],
    )
    make_table(
        "module_version",
        fact(), needed(ID, "activity_id"), needed(NUMBER, "number"),
        needed(WORDS, "digest", "title", "aim", "owner"), needed(DAY, "review_on"),
        needed(NUMBER, "minutes"), needed(SHARE, "mastery_score"), needed(JSON, "outcomes"),
        needed(NUMBER, "draw", "at_least_per_outcome", "attempts", "wait_minutes"),
        needed(YES_OR_NO, "test_out"), optional(WORDS, "job_aid_title", "job_aid_html"),
        optional(ID, "sources_version_id", "published_by_id"), needed(INSTANT, "published_at"),
        refers={"activity_id": "activity", "published_by_id": "person",
                "sources_version_id": "shared_version"},
        checks={"mastery_score_is_scaled": "mastery_score BETWEEN 0 AND 1"},
        unique=[("activity_id", "number")],
    )
    make_table(
        "package_file",
        needed(ID, "id", "module_version_id"), needed(WORDS, "path"), needed(BYTES, "content"),
        needed(WORDS, "sha256"),
        refers={"module_version_id": "module_version"},
        unique=[("module_version_id", "path")],
    )
    make_table(
        "lesson",
        needed(ID, "id", "module_version_id"), needed(NUMBER, "position"), needed(WORDS, "key", "title"),
        needed(NUMBER, "minutes"), needed(JSON, "outcomes"), needed(WORDS, "html"), needed(NUMBER, "words"),
        refers={"module_version_id": "module_version"},
        unique=[("module_version_id", "key"), ("module_version_id", "position")],
    )
    make_table(
        "item",
        needed(ID, "id", "module_version_id"), needed(NUMBER, "position"),
        needed(WORDS, "key", "outcome", "kind", "prompt_html"), optional(WORDS, "stimulus_html"),
        needed(WORDS, "explanation_html"), needed(JSON, "content", "source"), needed(YES_OR_NO, "retired"),
        refers={"module_version_id": "module_version"},
        unique=[("module_version_id", "key"), ("module_version_id", "position")],
    )


def _make_guides() -> None:
    make_table(
        "guide_version",
        fact(), needed(ID, "activity_id"), needed(NUMBER, "number"),
        needed(WORDS, "digest", "title", "summary", "owner"), needed(DAY, "review_on"),
        needed(YES_OR_NO, "acknowledge"), needed(WORDS, "html"), needed(NUMBER, "words"),
        optional(ID, "published_by_id"), needed(INSTANT, "published_at"),
        refers={"activity_id": "activity", "published_by_id": "person"},
        unique=[("activity_id", "number")],
    )
    make_table(
        "guide_file",
        needed(ID, "id", "guide_version_id"), needed(WORDS, "path"), needed(BYTES, "content"),
        needed(WORDS, "sha256"),
        refers={"guide_version_id": "guide_version"},
        unique=[("guide_version_id", "path")],
    )
    make_table(
        "search_entry",
        needed(ID, "id", "activity_id"), needed(WORDS, "address", "title", "above", "words"),
        refers={"activity_id": "activity"},
    )
    make_index("search_entry", "activity_id")
    for statement in SEARCH_ON_SQLITE if _is_sqlite() else SEARCH_ON_POSTGRESQL:
        op.execute(statement)


def _make_drafts() -> None:
    make_table(
        "draft",
        needed(ID, "id"), needed(WORDS, "module_key"), optional(ID, "base_version_id"),
        needed(ID, "opened_by_id"), needed(INSTANT, "opened_at"), optional(INSTANT, "ended_at"),
        optional(WORDS, "ended_as"),
        refers={"base_version_id": "module_version", "opened_by_id": "person"},
        checks={"end_is_known": "ended_as IN ('published', 'discarded')"},
    )
    make_index(
        "draft", "module_key", name="uq_draft_module_key_open", unique=True, where="ended_at IS NULL",
    )
    make_table("draft_content", needed(WORDS, "sha256"), needed(BYTES, "content"), key=("sha256",))
    make_table(
        "draft_save",
        needed(ID, "id", "draft_id"), needed(NUMBER, "number"), needed(ID, "saved_by_id"),
        needed(INSTANT, "saved_at"), needed(WORDS, "summary"), optional(ID, "base_version_id"),
        needed(JSON, "files"),
        refers={"base_version_id": "module_version", "draft_id": "draft", "saved_by_id": "person"},
        unique=[("draft_id", "number")],
    )
    make_table(
        "draft_presence",
        needed(ID, "id", "draft_id"), needed(WORDS, "place"), needed(ID, "person_id"),
        needed(INSTANT, "since", "seen_at"),
        refers={"draft_id": "draft", "person_id": "person"},
        unique=[("draft_id", "place")],
    )
    kind = "INTEGER" if _is_sqlite() else "BIGINT"
    for table in ("draft", "draft_save"):  # written out: SQLite takes a reference only with its column
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN base_guide_version_id {kind}"
            f" CONSTRAINT fk_{table}_base_guide_version_id REFERENCES guide_version (id)"
        )


def _make_reviews() -> None:
    make_table(
        "review",
        needed(ID, "id", "draft_id", "save_id", "sent_by_id"), needed(INSTANT, "sent_at"),
        needed(WORDS, "note"), optional(INSTANT, "ended_at"), optional(WORDS, "ended_as"),
        optional(ID, "ended_by_id"), optional(WORDS, "reason"),
        refers={"draft_id": "draft", "ended_by_id": "person", "save_id": "draft_save",
                "sent_by_id": "person"},
        checks={"end_is_known": "ended_as IN ('published', 'sent_back', 'withdrawn')"},
    )
    make_index("review", "draft_id", name="uq_review_draft_id_open", unique=True, where="ended_at IS NULL")
    make_table(
        "review_comment",
        needed(ID, "id", "review_id"), needed(WORDS, "place", "text"), needed(ID, "said_by_id"),
        needed(INSTANT, "said_at"),
        refers={"review_id": "review", "said_by_id": "person"},
    )
    make_index("review_comment", "review_id")


def _make_directives() -> None:
    make_table("directive", fact(), needed(WORDS, "reference"), unique=[("reference",)])
    make_table(
        "directive_version",
        correctable(), needed(ID, "directive_id"), needed(NUMBER, "number"), needed(DAY, "effective_on"),
        needed(YES_OR_NO, "withdrawn"), needed(WORDS, "title", "source", "wording"),
        optional(ID, "owner_id"), needed(SHARE, "target"), needed(JSON, "notice_days"),
        optional(DAY, "due_fixed_on"), optional(NUMBER, "due_days_after_joining", "validity_months"),
        optional(WORDS, "yearly_on"), optional(NUMBER, "minimum_gap_months"),
        needed(NUMBER, "expiring_days"), needed(JSON, "audience"),
        refers={"directive_id": "directive", "owner_id": "person", "replaces_id": "directive_version"},
        checks={"target_is_scaled": "target BETWEEN 0 AND 1"},
        unique=[("directive_id", "number"), ("replaces_id",)],
    )
    make_table(
        "requirement",
        needed(ID, "directive_version_id"), needed(NUMBER, "position"), needed(ID, "activity_id"),
        key=("directive_version_id", "position"),
        refers={"activity_id": "activity", "directive_version_id": "directive_version"},
    )
    make_table(
        "assignment",
        correctable(), needed(ID, "person_id", "directive_id", "directive_version_id"),
        needed(DAY, "from_on", "to_on", "joined_on", "due_on"), needed(NUMBER, "why"),
        refers={"directive_id": "directive", "directive_version_id": "directive_version",
                "person_id": "person", "replaces_id": "assignment"},
        checks={"from_before_to": "from_on <= to_on"},
        unique=[("replaces_id",)],
    )
    make_index("assignment", "person_id", "directive_id", "from_on", name="ix_assignment_person_directive")
    make_table(
        "exclusion",
        correctable(), needed(ID, "person_id", "directive_id"), needed(YES_OR_NO, "exempt"),
        needed(WORDS, "reason"), needed(DAY, "from_on", "to_on"), optional(DAY, "due_on"),
        optional(ID, "decided_by_id"),
        refers={"decided_by_id": "person", "directive_id": "directive", "person_id": "person",
                "replaces_id": "exclusion"},
        checks={"deferral_has_due_date": "exempt OR due_on IS NOT NULL",
                "from_before_to": "from_on <= to_on"},
        unique=[("replaces_id",)],
    )
    make_index("exclusion", "person_id", "directive_id", "from_on", name="ix_exclusion_person_directive")


def _make_registrations() -> None:
    make_table(
        "registration",
        correctable(), needed(ID, "person_id", "activity_id", "module_version_id"),
        needed(INSTANT, "started_at"), needed(DAY, "started_on"),
        refers={"activity_id": "activity", "module_version_id": "module_version", "person_id": "person",
                "replaces_id": "registration"},
        unique=[("replaces_id",)],
    )
    make_index(
        "registration", "person_id", "activity_id", "started_on", name="ix_registration_person_activity",
    )
    make_table(
        "lesson_visit",
        fact(), needed(ID, "registration_id", "lesson_id"), needed(WORDS, "kind"),
        refers={"lesson_id": "lesson", "registration_id": "registration"},
        checks={"kind_is_known": "kind IN ('opened', 'completed')"},
    )
    make_index("lesson_visit", "registration_id", "lesson_id", "kind", name="ix_lesson_visit_registration")
    make_table(
        "extra_attempt",
        fact(), needed(ID, "registration_id"), needed(DAY, "opened_on"), needed(ID, "opened_by_id"),
        needed(WORDS, "reason"),
        refers={"registration_id": "registration", "opened_by_id": "person"},
        unique=[("registration_id", "opened_on")],
    )


def _make_attempts() -> None:
    make_table(
        "attempt",
        needed(UUID, "id"), needed(ID, "registration_id"), needed(NUMBER, "number"),
        needed(SHARE, "mastery_score"), needed(JSON, "drawn"), needed(INSTANT, "started_at", "recorded_at"),
        refers={"registration_id": "registration"},
        checks={"mastery_score_is_scaled": "mastery_score BETWEEN 0 AND 1"},
        unique=[("registration_id", "number")],
    )
    make_index("attempt", "registration_id", "id", name="ix_attempt_registration")
    make_table(
        "response",
        needed(ID, "id"), needed(UUID, "attempt_id"), needed(ID, "item_id"), needed(JSON, "choices"),
        needed(INSTANT, "saved_at", "recorded_at"),
        refers={"attempt_id": "attempt", "item_id": "item"},
    )
    make_index("response", "attempt_id", "item_id", "id", name="ix_response_attempt_item")
    make_table(
        "submission",
        needed(UUID, "attempt_id"), needed(SCORE, "score_raw"), needed(NUMBER, "score_max"),
        needed(SHARE, "mastery_score"), needed(JSON, "marks"),
        needed(INSTANT, "submitted_at", "recorded_at"),
        key=("attempt_id",), refers={"attempt_id": "attempt"},
        checks={"mastery_score_is_scaled": "mastery_score BETWEEN 0 AND 1",
                "score_in_range": "score_raw BETWEEN 0 AND score_max"},
    )
    make_index(
        "submission", "attempt_id", "submitted_at", "recorded_at", "score_raw", "score_max",
        name="ix_submission_scored",
    )


def _make_records() -> None:
    make_table(
        "record",
        correctable(), needed(ID, "person_id", "activity_id"), needed(INSTANT, "achieved_at"),
        needed(DAY, "achieved_on"), needed(WORDS, "source", "reference"),
        refers={"activity_id": "activity", "person_id": "person", "replaces_id": "record"},
        unique=[("replaces_id",)],
    )
    make_index("record", "person_id", "activity_id", "achieved_on", name="ix_record_person_activity")
    make_index(
        "record", "reference", name="uq_record_reference_first", unique=True, where="replaces_id IS NULL",
    )
    make_table(
        "pass_record",
        needed(ID, "record_id", "registration_id", "module_version_id"), needed(UUID, "attempt_id"),
        needed(SCORE, "score_raw"), needed(NUMBER, "score_max"), needed(SHARE, "mastery_score"),
        key=("record_id",),
        refers={"attempt_id": "attempt", "module_version_id": "module_version", "record_id": "record",
                "registration_id": "registration"},
        checks={"mastery_score_is_scaled": "mastery_score BETWEEN 0 AND 1",
                "score_in_range": "score_raw BETWEEN 0 AND score_max"},
        unique=[("attempt_id",), ("registration_id",)],
    )
    make_table(
        "imported_record",
        needed(ID, "record_id"), needed(WORDS, "source_system"), optional(SHARE, "score_scaled"),
        key=("record_id",), refers={"record_id": "record"},
        checks={"score_is_scaled": "score_scaled BETWEEN 0 AND 1"},
    )


def _make_what_bears_on_records() -> None:
    make_table(
        "waiver",
        needed(ID, "record_id"), needed(WORDS, "reason"), needed(ID, "decided_by_id"),
        key=("record_id",), refers={"decided_by_id": "person", "record_id": "record"},
    )
    make_table(
        "revocation",
        correctable(), needed(ID, "record_id"), needed(DAY, "from_on"), needed(WORDS, "reason"),
        needed(ID, "decided_by_id"),
        refers={"decided_by_id": "person", "record_id": "record", "replaces_id": "revocation"},
        unique=[("replaces_id",)],
    )
    make_index("revocation", "record_id")
    make_table(
        "acknowledgement",
        needed(ID, "record_id", "guide_version_id"),
        key=("record_id",), refers={"guide_version_id": "guide_version", "record_id": "record"},
    )


def _make_status_periods() -> None:
    make_table(
        "standing_span",
        needed(ID, "id", "person_id", "directive_id"), needed(NUMBER, "position", "from_on", "to_on"),
        needed(MICROSECONDS, "known_from", "known_to"), needed(NUMBER, "status", "due_on"),
        optional(ID, "record_id"), optional(NUMBER, "satisfied_on", "valid_until", "late_days"),
        optional(ID, "exclusion_id"), needed(ID, "post_id", "unit_id"),
        refers={"directive_id": "directive", "exclusion_id": "exclusion", "person_id": "person",
                "post_id": "post", "record_id": "record", "unit_id": "unit"},
    )
    make_index(
        "standing_span", "directive_id", "unit_id", "status", "from_on", "to_on", "known_from", "known_to",
        "person_id", "post_id", "due_on", name="ix_span_whole", where="position = 0",
    )
    make_index(
        "standing_span", "person_id", "directive_id", "position", "from_on", "to_on", "known_from",
        "known_to", name="ix_span_person",
    )
    make_index(
        "standing_span", "directive_id", "unit_id", "position", "status", "from_on", "to_on", "known_from",
        "known_to", "post_id", name="ix_span_unit",
    )
    make_index("standing_span", "directive_id", "from_on", name="ix_span_first", where="from_on > 0")
    make_index("standing_span", "directive_id", "to_on", name="ix_span_last", where="to_on < 3652059")
    make_index(
        "standing_span", "directive_id", "known_from", name="ix_span_opened_late",
        where=f"known_from > {FIRST_EVENING}",
    )
    make_index(
        "standing_span", "directive_id", "known_to", name="ix_span_ended_late",
        where=f"known_to > {FIRST_EVENING} AND known_to < {OPEN}",
    )


def _make_status_counts() -> None:
    make_table(
        "standing_group",
        needed(ID, "id"), needed(WORDS, "designated_role", "rank_or_grade", "reason"),
        unique=[("designated_role", "rank_or_grade", "reason")],
    )
    make_table(
        "standing_total",
        needed(ID, "directive_id"), needed(NUMBER, "kind", "summed", "day"), needed(ID, "unit_id"),
        needed(NUMBER, "position", "status", "due_on", "since_on"), needed(ID, "group_id"),
        needed(NUMBER, "people"),
        key=("directive_id", "kind", "summed", "day", "unit_id", "position", "status", "due_on", "since_on",
             "group_id"),
        refers={"directive_id": "directive", "group_id": "standing_group"},
        sqlite_with_rowid=False,
    )
    make_table(
        "standing_kept",
        needed(ID, "directive_id"), needed(NUMBER, "day"),
        key=("directive_id", "day"), refers={"directive_id": "directive"},
        sqlite_with_rowid=False,
    )


def _make_jobs() -> None:
    make_table(
        "job",
        needed(ID, "id"), needed(UUID, "reference"), needed(WORDS, "kind"), needed(JSON, "arguments"),
        needed(WORDS, "state"), needed(NUMBER, "done", "total"), needed(WORDS, "said"),
        optional(ID, "asked_by_id"), needed(INSTANT, "asked_at"),
        optional(INSTANT, "started_at", "heartbeat_at", "ended_at"), needed(WORDS, "reason"),
        optional(JSON, "result"), needed(NUMBER, "runs"), optional(UUID, "claim"),
        refers={"asked_by_id": "person"},
        checks={"state": "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')"},
        unique=[("reference",)],
    )
    make_index("job", "state", "id")
    make_index("job", "asked_by_id")
    make_table(
        "prepared_file",
        needed(UUID, "id", "job_id"), needed(ID, "asked_by_id"), needed(INSTANT, "asked_at"),
        needed(WORDS, "directive", "name"), needed(JSON, "position", "filters"), needed(WORDS, "digest"),
        optional(INSTANT, "made_at"), optional(WORDS, "stored", "called"), optional(NUMBER, "size"),
        optional(JSON, "sight"),
        refers={"asked_by_id": "person"},
    )
    make_index("prepared_file", "asked_at")
    make_index("prepared_file", "asked_by_id", "digest")


def _make_imports() -> None:
    make_table(
        "import_run",
        needed(UUID, "id"), needed(WORDS, "kind", "shape", "file_name", "sha256"),
        needed(NUMBER, "size", "rows"), optional(ID, "began_by_id"), needed(INSTANT, "began_at"),
        optional(JSON, "columns"), optional(WORDS, "profile", "digest"), optional(INSTANT, "checked_at"),
        optional(NUMBER, "bad_rows"), optional(JSON, "report"), optional(UUID, "job_id"),
        optional(INSTANT, "ended_at"), optional(WORDS, "ended_as"), optional(ID, "ended_by_id"),
        optional(JSON, "numbers"), optional(INSTANT, "stamp"),
        refers={"began_by_id": "person", "ended_by_id": "person"},
        checks={"kind_is_known": "kind IN ('roster', 'completions')",
                "end_is_known": "ended_as IN ('applied', 'cancelled', 'lapsed')"},
    )
    make_index("import_run", "began_at")
    make_table(
        "import_content",
        needed(UUID, "run_id"), needed(BYTES, "content"),
        key=("run_id",), refers={"run_id": "import_run"},
    )
    make_table(
        "import_profile",
        needed(ID, "id"), needed(WORDS, "kind", "name"), needed(JSON, "columns"), needed(ID, "saved_by_id"),
        needed(INSTANT, "saved_at"),
        refers={"saved_by_id": "person"},
        unique=[("kind", "name")],
    )


def _make_decisions() -> None:
    make_table(
        "decision_request",
        fact(), needed(UUID, "uuid"), needed(WORDS, "kind"), needed(ID, "person_id", "asked_by_id"),
        needed(WORDS, "reason"),
        optional(ID, "directive_id", "activity_id", "record_id", "exclusion_id", "revocation_id"),
        optional(DAY, "from_on", "to_on", "due_on"),
        refers={"person_id": "person", "asked_by_id": "person", "directive_id": "directive",
                "activity_id": "activity", "record_id": "record", "exclusion_id": "exclusion",
                "revocation_id": "revocation"},
        checks={"kind_is_known": f"kind IN ({REQUESTS})"},
        unique=[("uuid",)],
    )
    make_index("decision_request", "asked_by_id")
    make_index("decision_request", "person_id", "kind")
    make_table(
        "decision",
        fact(), needed(ID, "request_id"), needed(WORDS, "outcome"), needed(ID, "decided_by_id"),
        optional(DAY, "from_on", "to_on", "due_on"),
        optional(ID, "exclusion_id", "record_id", "revocation_id"),
        refers={"request_id": "decision_request", "decided_by_id": "person", "exclusion_id": "exclusion",
                "record_id": "record", "revocation_id": "revocation"},
        checks={"outcome_is_known": "outcome IN ('granted', 'refused', 'withdrawn')"},
        unique=[("request_id",)],
    )


def _make_mail() -> None:
    make_table(
        "message",
        needed(ID, "id"), needed(UUID, "reference"), needed(ID, "person_id"), needed(WORDS, "state"),
        needed(INSTANT, "created_at", "not_before"), needed(NUMBER, "tries"),
        optional(INSTANT, "claimed_at", "sent_at"), optional(DAY, "sent_on"), needed(WORDS, "reason"),
        refers={"person_id": "person"},
        unique=[("reference",)],
        unique_as={"uq_message_one_a_day": ("person_id", "sent_on")},
    )
    op.add_column("message", sa.Column("kind", WORDS, nullable=False, server_default="reminder"))
    op.add_column("message", sa.Column("email", WORDS, nullable=True))
    make_index("message", "state", "not_before", name="ix_message_state")
    make_index("message", "person_id")
    make_index(
        "message", "person_id", name="uq_message_waiting", unique=True,
        where="state = 'waiting' AND kind = 'reminder'",
    )
    make_table(
        "message_line",
        needed(ID, "id", "message_id", "directive_id", "about_id"), needed(WORDS, "reason"),
        optional(ID, "asked_by_id"), needed(INSTANT, "created_at"),
        refers={"message_id": "message", "directive_id": "directive", "about_id": "person",
                "asked_by_id": "person"},
        unique=[("message_id", "directive_id", "about_id", "reason")],
    )
    make_index("message_line", "about_id", "directive_id", "reason", name="ix_message_line_about")
    make_table(
        "notice_line",
        needed(ID, "id", "message_id", "event_id"),
        refers={"message_id": "message", "event_id": "audit_event"},
        unique=[("message_id", "event_id")],
    )


def _make_reminders() -> None:
    make_table(
        "reminder_rule",
        needed(ID, "directive_id"), needed(JSON, "notice_days"),
        needed(NUMBER, "overdue_every", "escalate_after"), needed(JSON, "ending_days"),
        key=("directive_id",), refers={"directive_id": "directive"},
    )
    make_table(
        "reminder_run",
        needed(DAY, "day"), needed(INSTANT, "planned_at"), needed(JSON, "result"),
        key=("day",),
    )
    make_table(
        "untold_manager",
        needed(ID, "person_id"), needed(INSTANT, "planned_at"), needed(NUMBER, "people"),
        key=("person_id",), refers={"person_id": "person"},
    )
    make_table(
        "report_look",
        needed(ID, "person_id", "directive_id"), needed(DAY, "day"), needed(INSTANT, "known_on"),
        optional(DAY, "before_day"), optional(INSTANT, "before_known_on"),
        key=("person_id", "directive_id"), refers={"person_id": "person", "directive_id": "directive"},
    )
