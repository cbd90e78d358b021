"""Adds a table of attempts that were opened beyond those that a module allows."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import ATTEMPT_FACT_TABLES, protect, unprotect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "extra_attempt",
        sa.Column("id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_by_id", ID, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.id"], name=op.f("fk_extra_attempt_registration_id")
        ),
        sa.ForeignKeyConstraint(["opened_by_id"], ["person.id"], name=op.f("fk_extra_attempt_opened_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_attempt")),
        sa.UniqueConstraint(
            "registration_id", "opened_on", name=op.f("uq_extra_attempt_registration_id_opened_on")
        ),
    )
    protect(ATTEMPT_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(ATTEMPT_FACT_TABLES)
    op.drop_table("extra_attempt")
