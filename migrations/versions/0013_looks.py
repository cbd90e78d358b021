"""Adds a table of the position that a person saw of each directive when they last looked."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "report_look",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("known_on", INSTANT, nullable=False),
        sa.Column("before_day", sa.Date(), nullable=True),
        sa.Column("before_known_on", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_report_look_person_id")),
        sa.ForeignKeyConstraint(["directive_id"], ["directive.id"], name=op.f("fk_report_look_directive_id")),
        sa.PrimaryKeyConstraint("person_id", "directive_id", name=op.f("pk_report_look")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("report_look")
