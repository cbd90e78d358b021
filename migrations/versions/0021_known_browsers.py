"""Adds known browsers and passwords that must be changed; forgets earlier failures to sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "known_browser",
        sa.Column("browser_hash", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_known_browser_person_id")),
        sa.PrimaryKeyConstraint("browser_hash", name=op.f("pk_known_browser")),
    )
    for column in ("person_id", "used_at"):
        op.create_index(op.f(f"ix_known_browser_{column}"), "known_browser", [column])
    op.execute("DELETE FROM sign_in_failure")  # kept under names as typed, which no rule asks for any more
    op.drop_index("ix_failure_account", table_name="sign_in_failure")
    op.create_index("ix_failure_account", "sign_in_failure", ["account_hash", "failed_at"])
    op.add_column("credential", sa.Column("password_rule", sa.Integer()))
    op.add_column(
        "sign_in_session",
        sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_column("sign_in_session", "must_change")
    op.drop_column("credential", "password_rule")
    op.execute("DELETE FROM sign_in_failure")
    op.drop_index("ix_failure_account", table_name="sign_in_failure")
    op.create_index("ix_failure_account", "sign_in_failure", ["account_hash", "address", "failed_at"])
    op.drop_table("known_browser")
