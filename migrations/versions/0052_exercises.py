"""Exercises: published versions, runs with their decision logs, and anonymous statements."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import (
    EXERCISE_FACT_TABLES,
    REHEARSED_TABLES,
    forget_keeping,
    keep_unless,
    protect,
    unprotect,
)
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to, require

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_IS_REHEARSAL = "OLD.kind = 'rehearsal'"
_OF_A_REHEARSAL = "EXISTS (SELECT 1 FROM exercise_run r WHERE r.id = OLD.run_id AND r.kind = 'rehearsal')"


def _add_exercise() -> None:
    op.create_table(
        "exercise",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("key", WORDS),
        make_key("exercise", "id"),
        sa.UniqueConstraint("key", name=op.f("uq_exercise_key")),
    )


def _add_exercise_version() -> None:
    op.create_table(
        "exercise_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("exercise_id", ID),
        require("number", sa.Integer()),
        require("digest", WORDS),
        require("title", WORDS),
        require("summary", WORDS),
        require("owner", WORDS),
        require("review_on", sa.Date()),
        require("minutes", sa.Integer()),
        require("content", sa.JSON()),
        sa.Column("published_by_id", ID, nullable=True),
        require("published_at", INSTANT),
        refer_to("exercise_version", "exercise_id", "exercise.id"),
        refer_to("exercise_version", "published_by_id", "person.id"),
        make_key("exercise_version", "id"),
        sa.UniqueConstraint("exercise_id", "number", name=op.f("uq_exercise_version_exercise_id_number")),
    )


def _add_exercise_file() -> None:
    op.create_table(
        "exercise_file",
        require("id", ID),
        require("exercise_version_id", ID),
        require("path", WORDS),
        require("content", sa.LargeBinary()),
        require("sha256", WORDS),
        refer_to("exercise_file", "exercise_version_id", "exercise_version.id"),
        make_key("exercise_file", "id"),
        sa.UniqueConstraint(
            "exercise_version_id", "path", name=op.f("uq_exercise_file_exercise_version_id_path")
        ),
    )


def _add_exercise_proposal() -> None:
    op.create_table(
        "exercise_proposal",
        require("id", ID),
        require("key", WORDS),
        require("archive", sa.LargeBinary()),
        require("note", WORDS),
        require("proposed_by_id", ID),
        require("proposed_at", INSTANT),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        require("reason", WORDS),
        sa.CheckConstraint(
            "ended_as IN ('published', 'sent_back', 'withdrawn')",
            name=op.f("ck_exercise_proposal_end_is_known"),
        ),
        refer_to("exercise_proposal", "ended_by_id", "person.id"),
        refer_to("exercise_proposal", "proposed_by_id", "person.id"),
        make_key("exercise_proposal", "id"),
    )
    op.create_index(
        "uq_exercise_proposal_key_open",
        "exercise_proposal",
        ["key"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _add_exercise_run() -> None:
    op.create_table(
        "exercise_run",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("reference", WORDS),
        require("exercise_version_id", ID),
        sa.Column("event_id", ID, nullable=True),
        require("kind", WORDS),
        require("syndicates", sa.Integer()),
        require("opened_by_id", ID),
        sa.CheckConstraint(
            "kind IN ('event', 'table_top', 'rehearsal')", name=op.f("ck_exercise_run_kind_is_known")
        ),
        sa.CheckConstraint("syndicates > 0", name=op.f("ck_exercise_run_has_syndicates")),
        refer_to("exercise_run", "event_id", "event.id"),
        refer_to("exercise_run", "exercise_version_id", "exercise_version.id"),
        refer_to("exercise_run", "opened_by_id", "person.id"),
        make_key("exercise_run", "id"),
        sa.UniqueConstraint("reference", name=op.f("uq_exercise_run_reference")),
    )
    op.create_index(op.f("ix_exercise_run_event_id"), "exercise_run", ["event_id"], unique=False)


def _add_run_step() -> None:
    op.create_table(
        "run_step",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("run_id", ID),
        require("key", sa.Uuid()),
        require("kind", WORDS),
        require("inject_key", WORDS),
        require("syndicate", sa.Integer()),
        require("text", WORDS),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("by_id", ID, nullable=True),
        sa.CheckConstraint(
            "kind IN ('start', 'hold', 'resume', 'release', 'message', 'plenary', 'back', 'scribe', 'end')",
            name=op.f("ck_run_step_kind_is_known"),
        ),
        refer_to("run_step", "by_id", "person.id"),
        refer_to("run_step", "person_id", "person.id"),
        refer_to("run_step", "run_id", "exercise_run.id"),
        make_key("run_step", "id"),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_run_step_run_id_key")),
    )
    op.create_index(op.f("ix_run_step_run_id"), "run_step", ["run_id"], unique=False)
    op.create_index(
        "uq_run_step_release",
        "run_step",
        ["run_id", "inject_key", "syndicate"],
        unique=True,
        sqlite_where=sa.text("kind = 'release'"),
        postgresql_where=sa.text("kind = 'release'"),
    )


def _add_log_entry() -> None:
    op.create_table(
        "log_entry",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("run_id", ID),
        require("key", sa.Uuid()),
        require("syndicate", sa.Integer()),
        require("kind", WORDS),
        require("inject_key", WORDS),
        require("question_key", WORDS),
        require("answer", sa.JSON()),
        sa.Column("corrects_id", ID, nullable=True),
        require("by_id", ID),
        sa.CheckConstraint(
            "kind IN ('answer', 'decision', 'correction')", name=op.f("ck_log_entry_kind_is_known")
        ),
        refer_to("log_entry", "by_id", "person.id"),
        refer_to("log_entry", "corrects_id", "log_entry.id"),
        refer_to("log_entry", "run_id", "exercise_run.id"),
        make_key("log_entry", "id"),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_log_entry_run_id_key")),
    )
    op.create_index("ix_log_entry_run_syndicate", "log_entry", ["run_id", "syndicate"], unique=False)


def _add_plenary_statement() -> None:
    op.create_table(
        "plenary_statement",
        require("key", sa.Uuid()),
        require("run_id", ID),
        require("prompt_key", WORDS),
        require("text", WORDS),
        require("theme", WORDS),
        require("hidden", sa.Boolean()),
        require("points", sa.Integer()),
        refer_to("plenary_statement", "run_id", "exercise_run.id"),
        make_key("plenary_statement", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_plenary_statement_run_id"), "plenary_statement", ["run_id"], unique=False)


def _add_plenary_voter() -> None:
    op.create_table(
        "plenary_voter",
        require("run_id", ID),
        require("prompt_key", WORDS),
        require("person_id", ID),
        refer_to("plenary_voter", "person_id", "person.id"),
        refer_to("plenary_voter", "run_id", "exercise_run.id"),
        make_key("plenary_voter", "run_id", "prompt_key", "person_id"),
        sqlite_with_rowid=False,
    )


def _add_run_action() -> None:
    op.create_table(
        "run_action",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("run_id", ID),
        require("key", sa.Uuid()),
        require("what", WORDS),
        require("owner", WORDS),
        require("due_on", sa.Date()),
        require("by_id", ID),
        sa.Column("withdraws_id", ID, nullable=True),
        refer_to("run_action", "by_id", "person.id"),
        refer_to("run_action", "run_id", "exercise_run.id"),
        refer_to("run_action", "withdraws_id", "run_action.id"),
        make_key("run_action", "id"),
        sa.UniqueConstraint("key", name=op.f("uq_run_action_key")),
    )
    op.create_index(op.f("ix_run_action_run_id"), "run_action", ["run_id"], unique=False)


def upgrade() -> None:
    """Apply."""
    _add_exercise()
    _add_exercise_version()
    _add_exercise_file()
    _add_exercise_proposal()
    _add_exercise_run()
    _add_run_step()
    _add_log_entry()
    _add_plenary_statement()
    _add_plenary_voter()
    _add_run_action()
    protect(EXERCISE_FACT_TABLES)
    for table in REHEARSED_TABLES:
        keep_unless(table, _IS_REHEARSAL if table == "exercise_run" else _OF_A_REHEARSAL)


def downgrade() -> None:
    """Undo."""
    unprotect(EXERCISE_FACT_TABLES)
    op.drop_table("run_action")
    op.drop_table("plenary_voter")
    op.drop_table("plenary_statement")
    op.drop_table("log_entry")
    op.drop_table("run_step")
    op.drop_table("exercise_run")
    op.drop_table("exercise_proposal")
    op.drop_table("exercise_file")
    op.drop_table("exercise_version")
    op.drop_table("exercise")
    for table in REHEARSED_TABLES:
        forget_keeping(table)
