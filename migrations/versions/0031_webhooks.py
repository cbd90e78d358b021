"""Adds webhooks, and indexes by which records and posts are found that were recorded since."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
seconds_per_million_rows = {
    "sqlite": {"record": 1.0, "post": 1.0},
    "postgresql": {"record": 1.0, "post": 1.0},
}

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "webhook",
        sa.Column("id", ID, nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("address", WORDS, nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("unit_id", ID),
        sa.Column("directive_id", ID),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary()),
        sa.Column("old_secret_until", INSTANT),
        sa.Column("paused", WORDS),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("collected_on", sa.Date(), nullable=False),
        sa.Column("collected_at", INSTANT, nullable=False),
        sa.Column("target_on", sa.Date()),
        sa.Column("target_at", INSTANT),
        sa.Column("target_person", ID, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("resting_until", INSTANT),
        sa.Column("flagged_at", INSTANT),
        sa.Column("delivered_at", INSTANT),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_webhook_unit_id")),
        sa.ForeignKeyConstraint(["directive_id"], ["directive.id"], name=op.f("fk_webhook_directive_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("reference", name=op.f("uq_webhook_reference")),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_name")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", WORDS, nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("person_id", ID),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claim", sa.Uuid()),
        sa.Column("claimed_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("outcome", WORDS, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'delivered', 'failed')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_webhook_delivery_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("webhook_id", "event_id", name=op.f("uq_webhook_delivery_webhook_id_event_id")),
    )
    op.create_index("ix_webhook_delivery_state", "webhook_delivery", ["webhook_id", "state", "id"])
    op.create_index(
        "ix_webhook_delivery_person", "webhook_delivery", ["webhook_id", "person_id", "state", "id"]
    )
    op.create_index("ix_webhook_delivery_ended", "webhook_delivery", ["ended_at"])
    for table in ("record", "post"):
        op.create_index(f"ix_{table}_recorded_at", table, ["recorded_at"])


def downgrade() -> None:
    """Undo."""
    for table in ("record", "post"):
        op.drop_index(f"ix_{table}_recorded_at", table_name=table)
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
