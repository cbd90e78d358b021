"""Saved reports: what a person named, with whom it is shared, when it is mailed, and the mails."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_a_name(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["person_name.person_id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def _of_a_report(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["saved_report_id"],
        ["saved_report.id"],
        name=op.f(f"fk_{table}_saved_report_id"),
        ondelete="CASCADE",
    )


def _add_reports() -> None:
    op.create_table(
        "saved_report",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("directive", WORDS, nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("day_rule", WORDS, nullable=False),
        sa.Column("fixed_on", sa.Date(), nullable=True),
        sa.Column("known_rule", WORDS, nullable=False),
        sa.Column("span", WORDS, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('directive', 'overview', 'changes')", name=op.f("ck_saved_report_kind_is_known")
        ),
        _of_a_name("saved_report", "owner_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_report")),
        sa.UniqueConstraint("reference", name=op.f("uq_saved_report_reference")),
    )
    op.create_index("ix_saved_report_owner_id", "saved_report", ["owner_id"])
    op.create_table(
        "report_share",
        sa.Column("id", ID, nullable=False),
        sa.Column("saved_report_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mailed", sa.Boolean(), nullable=False),
        _of_a_report("report_share"),
        _of_a_name("report_share", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_share")),
        sa.UniqueConstraint(
            "saved_report_id", "person_id", name=op.f("uq_report_share_saved_report_id_person_id")
        ),
    )
    op.create_index("ix_report_share_person_id", "report_share", ["person_id"])


def _add_mails() -> None:
    op.create_table(
        "report_schedule",
        sa.Column("saved_report_id", ID, nullable=False),
        sa.Column("every", WORDS, nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("attached", sa.Boolean(), nullable=False),
        sa.Column("planned_until", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", WORDS, nullable=False),
        sa.CheckConstraint("every IN ('week', 'month')", name=op.f("ck_report_schedule_every_is_known")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_report_schedule_weekday_is_known")),
        _of_a_report("report_schedule"),
        sa.PrimaryKeyConstraint("saved_report_id", name=op.f("pk_report_schedule")),
    )
    op.create_table(
        "report_mail",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("saved_report_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_report_mail_message_id")),
        _of_a_report("report_mail"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_report_mail_person_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_report_mail")),
        sa.UniqueConstraint(
            "saved_report_id",
            "person_id",
            "due_on",
            name=op.f("uq_report_mail_saved_report_id_person_id_due_on"),
        ),
    )


def upgrade() -> None:
    """Apply."""
    _add_reports()
    _add_mails()


def downgrade() -> None:
    """Undo."""
    op.drop_table("report_mail")
    op.drop_table("report_schedule")
    op.drop_table("report_share")
    op.drop_table("saved_report")
