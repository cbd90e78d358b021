"""Taught events: event types with their versions, rooms, dated events and who runs them."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import EVENT_FACT_TABLES, protect, unprotect

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _needs(name: str, kind: sa.types.TypeEngine[object]) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _add_event_type_version() -> None:
    op.create_table(
        "event_type_version",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("activity_id", ID),
        _needs("number", sa.Integer()),
        _needs("digest", WORDS),
        _needs("content", sa.LargeBinary()),
        _needs("title", WORDS),
        _needs("aim", WORDS),
        _needs("audience", WORDS),
        _needs("owner", WORDS),
        _needs("review_on", sa.Date()),
        _needs("minutes", sa.Integer()),
        _needs("syndicate_least", sa.Integer()),
        _needs("syndicate_most", sa.Integer()),
        _needs("places_least", sa.Integer()),
        _needs("places_most", sa.Integer()),
        _needs("facilitators", sa.Integer()),
        _needs("approval", sa.Boolean()),
        _needs("preparation", sa.JSON()),
        sa.Column("published_by_id", ID, nullable=True),
        _needs("published_at", INSTANT),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_event_type_version_has_length")),
        sa.CheckConstraint(
            "places_least BETWEEN 1 AND places_most", name=op.f("ck_event_type_version_places_in_order")
        ),
        sa.CheckConstraint(
            "syndicate_least BETWEEN 1 AND syndicate_most",
            name=op.f("ck_event_type_version_syndicate_size_in_order"),
        ),
        _refers("event_type_version", "activity_id", "activity.id"),
        _refers("event_type_version", "published_by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_type_version")),
        sa.UniqueConstraint("activity_id", "number", name=op.f("uq_event_type_version_activity_id_number")),
    )


def _add_event_type_proposal() -> None:
    op.create_table(
        "event_type_proposal",
        _needs("id", ID),
        _needs("key", WORDS),
        _needs("content", sa.LargeBinary()),
        _needs("note", WORDS),
        _needs("proposed_by_id", ID),
        _needs("proposed_at", INSTANT),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        _needs("reason", WORDS),
        sa.CheckConstraint(
            "ended_as IN ('published', 'sent_back', 'withdrawn')",
            name=op.f("ck_event_type_proposal_end_is_known"),
        ),
        _refers("event_type_proposal", "ended_by_id", "person.id"),
        _refers("event_type_proposal", "proposed_by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_type_proposal")),
    )
    op.create_index(
        "uq_event_type_proposal_key_open",
        "event_type_proposal",
        ["key"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _add_event_room() -> None:
    op.create_table(
        "event_room",
        _needs("id", ID),
        _needs("name", WORDS),
        sa.Column("unit_id", ID, nullable=True),
        _needs("capacity", sa.Integer()),
        _needs("directions", WORDS),
        _needs("closed", sa.Boolean()),
        _refers("event_room", "unit_id", "unit.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_room")),
        sa.UniqueConstraint("name", name=op.f("uq_event_room_name")),
    )


def _add_event() -> None:
    op.create_table(
        "event",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("reference", WORDS),
        _needs("activity_id", ID),
        sa.Column("series", sa.Uuid(), nullable=True),
        _refers("event", "activity_id", "activity.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("reference", name=op.f("uq_event_reference")),
    )
    op.create_index(op.f("ix_event_activity_id"), "event", ["activity_id"], unique=False)


def _add_event_version() -> None:
    op.create_table(
        "event_version",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        _needs("void", sa.Boolean()),
        _needs("event_id", ID),
        _needs("number", sa.Integer()),
        _needs("type_version_id", ID),
        _needs("starts_at", INSTANT),
        _needs("ends_at", INSTANT),
        _needs("held_on", sa.Date()),
        _needs("room_id", ID),
        _needs("syndicates", sa.Integer()),
        _needs("places", sa.Integer()),
        _needs("notes", WORDS),
        _needs("cancelled", sa.Boolean()),
        _needs("reason", WORDS),
        _needs("changed_by_id", ID),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_event_version_starts_before_end")),
        sa.CheckConstraint("syndicates > 0 AND places > 0", name=op.f("ck_event_version_has_places")),
        _refers("event_version", "changed_by_id", "person.id"),
        _refers("event_version", "event_id", "event.id"),
        _refers("event_version", "replaces_id", "event_version.id"),
        _refers("event_version", "room_id", "event_room.id"),
        _refers("event_version", "type_version_id", "event_type_version.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_version")),
        sa.UniqueConstraint("event_id", "number", name=op.f("uq_event_version_event_id_number")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_event_version_replaces_id")),
    )
    op.create_index("ix_event_version_starts_at", "event_version", ["starts_at"], unique=False)


def _add_event_facilitator() -> None:
    op.create_table(
        "event_facilitator",
        _needs("event_version_id", ID),
        _needs("person_id", ID),
        _refers("event_facilitator", "event_version_id", "event_version.id"),
        _refers("event_facilitator", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("event_version_id", "person_id", name=op.f("pk_event_facilitator")),
    )
    op.create_index(op.f("ix_event_facilitator_person_id"), "event_facilitator", ["person_id"], unique=False)


def upgrade() -> None:
    """Apply."""
    _add_event_type_version()
    _add_event_type_proposal()
    _add_event_room()
    _add_event()
    _add_event_version()
    _add_event_facilitator()
    protect(EVENT_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(EVENT_FACT_TABLES)
    op.drop_table("event_facilitator")
    op.drop_table("event_version")
    op.drop_table("event")
    op.drop_table("event_room")
    op.drop_table("event_type_proposal")
    op.drop_table("event_type_version")
