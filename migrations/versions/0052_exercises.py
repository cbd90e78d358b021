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

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_IS_REHEARSAL = "OLD.kind = 'rehearsal'"
_OF_A_REHEARSAL = "EXISTS (SELECT 1 FROM exercise_run r WHERE r.id = OLD.run_id AND r.kind = 'rehearsal')"


def _needs(name: str, kind: sa.types.TypeEngine[object]) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _add_exercise() -> None:
    op.create_table(
        "exercise",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("key", WORDS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise")),
        sa.UniqueConstraint("key", name=op.f("uq_exercise_key")),
    )


def _add_exercise_version() -> None:
    op.create_table(
        "exercise_version",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("exercise_id", ID),
        _needs("number", sa.Integer()),
        _needs("digest", WORDS),
        _needs("title", WORDS),
        _needs("summary", WORDS),
        _needs("owner", WORDS),
        _needs("review_on", sa.Date()),
        _needs("minutes", sa.Integer()),
        _needs("content", sa.JSON()),
        sa.Column("published_by_id", ID, nullable=True),
        _needs("published_at", INSTANT),
        _refers("exercise_version", "exercise_id", "exercise.id"),
        _refers("exercise_version", "published_by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_version")),
        sa.UniqueConstraint("exercise_id", "number", name=op.f("uq_exercise_version_exercise_id_number")),
    )


def _add_exercise_file() -> None:
    op.create_table(
        "exercise_file",
        _needs("id", ID),
        _needs("exercise_version_id", ID),
        _needs("path", WORDS),
        _needs("content", sa.LargeBinary()),
        _needs("sha256", WORDS),
        _refers("exercise_file", "exercise_version_id", "exercise_version.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_file")),
        sa.UniqueConstraint(
            "exercise_version_id", "path", name=op.f("uq_exercise_file_exercise_version_id_path")
        ),
    )


def _add_exercise_proposal() -> None:
    op.create_table(
        "exercise_proposal",
        _needs("id", ID),
        _needs("key", WORDS),
        _needs("archive", sa.LargeBinary()),
        _needs("note", WORDS),
        _needs("proposed_by_id", ID),
        _needs("proposed_at", INSTANT),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        _needs("reason", WORDS),
        sa.CheckConstraint(
            "ended_as IN ('published', 'sent_back', 'withdrawn')",
            name=op.f("ck_exercise_proposal_end_is_known"),
        ),
        _refers("exercise_proposal", "ended_by_id", "person.id"),
        _refers("exercise_proposal", "proposed_by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_proposal")),
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
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("reference", WORDS),
        _needs("exercise_version_id", ID),
        sa.Column("event_id", ID, nullable=True),
        _needs("kind", WORDS),
        _needs("syndicates", sa.Integer()),
        _needs("opened_by_id", ID),
        sa.CheckConstraint(
            "kind IN ('event', 'table_top', 'rehearsal')", name=op.f("ck_exercise_run_kind_is_known")
        ),
        sa.CheckConstraint("syndicates > 0", name=op.f("ck_exercise_run_has_syndicates")),
        _refers("exercise_run", "event_id", "event.id"),
        _refers("exercise_run", "exercise_version_id", "exercise_version.id"),
        _refers("exercise_run", "opened_by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_run")),
        sa.UniqueConstraint("reference", name=op.f("uq_exercise_run_reference")),
    )
    op.create_index(op.f("ix_exercise_run_event_id"), "exercise_run", ["event_id"], unique=False)


def _add_run_step() -> None:
    op.create_table(
        "run_step",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("run_id", ID),
        _needs("key", sa.Uuid()),
        _needs("kind", WORDS),
        _needs("inject_key", WORDS),
        _needs("syndicate", sa.Integer()),
        _needs("text", WORDS),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("by_id", ID, nullable=True),
        sa.CheckConstraint(
            "kind IN ('start', 'hold', 'resume', 'release', 'message', 'plenary', 'back', 'scribe', 'end')",
            name=op.f("ck_run_step_kind_is_known"),
        ),
        _refers("run_step", "by_id", "person.id"),
        _refers("run_step", "person_id", "person.id"),
        _refers("run_step", "run_id", "exercise_run.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_step")),
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
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("run_id", ID),
        _needs("key", sa.Uuid()),
        _needs("syndicate", sa.Integer()),
        _needs("kind", WORDS),
        _needs("inject_key", WORDS),
        _needs("question_key", WORDS),
        _needs("answer", sa.JSON()),
        sa.Column("corrects_id", ID, nullable=True),
        _needs("by_id", ID),
        sa.CheckConstraint(
            "kind IN ('answer', 'decision', 'correction')", name=op.f("ck_log_entry_kind_is_known")
        ),
        _refers("log_entry", "by_id", "person.id"),
        _refers("log_entry", "corrects_id", "log_entry.id"),
        _refers("log_entry", "run_id", "exercise_run.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entry")),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_log_entry_run_id_key")),
    )
    op.create_index("ix_log_entry_run_syndicate", "log_entry", ["run_id", "syndicate"], unique=False)


def _add_plenary_statement() -> None:
    op.create_table(
        "plenary_statement",
        _needs("key", sa.Uuid()),
        _needs("run_id", ID),
        _needs("prompt_key", WORDS),
        _needs("text", WORDS),
        _needs("theme", WORDS),
        _needs("hidden", sa.Boolean()),
        _needs("points", sa.Integer()),
        _refers("plenary_statement", "run_id", "exercise_run.id"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_plenary_statement")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_plenary_statement_run_id"), "plenary_statement", ["run_id"], unique=False)


def _add_plenary_voter() -> None:
    op.create_table(
        "plenary_voter",
        _needs("run_id", ID),
        _needs("prompt_key", WORDS),
        _needs("person_id", ID),
        _refers("plenary_voter", "person_id", "person.id"),
        _refers("plenary_voter", "run_id", "exercise_run.id"),
        sa.PrimaryKeyConstraint("run_id", "prompt_key", "person_id", name=op.f("pk_plenary_voter")),
        sqlite_with_rowid=False,
    )


def _add_run_action() -> None:
    op.create_table(
        "run_action",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("run_id", ID),
        _needs("key", sa.Uuid()),
        _needs("what", WORDS),
        _needs("owner", WORDS),
        _needs("due_on", sa.Date()),
        _needs("by_id", ID),
        sa.Column("withdraws_id", ID, nullable=True),
        _refers("run_action", "by_id", "person.id"),
        _refers("run_action", "run_id", "exercise_run.id"),
        _refers("run_action", "withdraws_id", "run_action.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_action")),
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
