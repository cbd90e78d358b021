"""Taught events: event types with their versions, rooms, dated events and who runs them."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import EVENT_FACT_TABLES, protect, unprotect
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to, require

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def _add_event_type_version() -> None:
    op.create_table(
        "event_type_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("activity_id", ID),
        require("number", sa.Integer()),
        require("digest", WORDS),
        require("content", sa.LargeBinary()),
        require("title", WORDS),
        require("aim", WORDS),
        require("audience", WORDS),
        require("owner", WORDS),
        require("review_on", sa.Date()),
        require("minutes", sa.Integer()),
        require("syndicate_least", sa.Integer()),
        require("syndicate_most", sa.Integer()),
        require("places_least", sa.Integer()),
        require("places_most", sa.Integer()),
        require("facilitators", sa.Integer()),
        require("approval", sa.Boolean()),
        require("preparation", sa.JSON()),
        sa.Column("published_by_id", ID, nullable=True),
        require("published_at", INSTANT),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_event_type_version_has_length")),
        sa.CheckConstraint(
            "places_least BETWEEN 1 AND places_most", name=op.f("ck_event_type_version_places_in_order")
        ),
        sa.CheckConstraint(
            "syndicate_least BETWEEN 1 AND syndicate_most",
            name=op.f("ck_event_type_version_syndicate_size_in_order"),
        ),
        refer_to("event_type_version", "activity_id", "activity.id"),
        refer_to("event_type_version", "published_by_id", "person.id"),
        make_key("event_type_version", "id"),
        sa.UniqueConstraint("activity_id", "number", name=op.f("uq_event_type_version_activity_id_number")),
    )


def _add_event_type_proposal() -> None:
    op.create_table(
        "event_type_proposal",
        require("id", ID),
        require("key", WORDS),
        require("content", sa.LargeBinary()),
        require("note", WORDS),
        require("proposed_by_id", ID),
        require("proposed_at", INSTANT),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        require("reason", WORDS),
        sa.CheckConstraint(
            "ended_as IN ('published', 'sent_back', 'withdrawn')",
            name=op.f("ck_event_type_proposal_end_is_known"),
        ),
        refer_to("event_type_proposal", "ended_by_id", "person.id"),
        refer_to("event_type_proposal", "proposed_by_id", "person.id"),
        make_key("event_type_proposal", "id"),
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
        require("id", ID),
        require("name", WORDS),
        sa.Column("unit_id", ID, nullable=True),
        require("capacity", sa.Integer()),
        require("directions", WORDS),
        require("closed", sa.Boolean()),
        refer_to("event_room", "unit_id", "unit.id"),
        make_key("event_room", "id"),
        sa.UniqueConstraint("name", name=op.f("uq_event_room_name")),
    )


def _add_event() -> None:
    op.create_table(
        "event",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("reference", WORDS),
        require("activity_id", ID),
        sa.Column("series", sa.Uuid(), nullable=True),
        refer_to("event", "activity_id", "activity.id"),
        make_key("event", "id"),
        sa.UniqueConstraint("reference", name=op.f("uq_event_reference")),
    )
    op.create_index(op.f("ix_event_activity_id"), "event", ["activity_id"], unique=False)


def _add_event_version() -> None:
    op.create_table(
        "event_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("event_id", ID),
        require("number", sa.Integer()),
        require("type_version_id", ID),
        require("starts_at", INSTANT),
        require("ends_at", INSTANT),
        require("held_on", sa.Date()),
        require("room_id", ID),
        require("syndicates", sa.Integer()),
        require("places", sa.Integer()),
        require("notes", WORDS),
        require("cancelled", sa.Boolean()),
        require("reason", WORDS),
        require("changed_by_id", ID),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_event_version_starts_before_end")),
        sa.CheckConstraint("syndicates > 0 AND places > 0", name=op.f("ck_event_version_has_places")),
        refer_to("event_version", "changed_by_id", "person.id"),
        refer_to("event_version", "event_id", "event.id"),
        refer_to("event_version", "replaces_id", "event_version.id"),
        refer_to("event_version", "room_id", "event_room.id"),
        refer_to("event_version", "type_version_id", "event_type_version.id"),
        make_key("event_version", "id"),
        sa.UniqueConstraint("event_id", "number", name=op.f("uq_event_version_event_id_number")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_event_version_replaces_id")),
    )
    op.create_index("ix_event_version_starts_at", "event_version", ["starts_at"], unique=False)


def _add_event_facilitator() -> None:
    op.create_table(
        "event_facilitator",
        require("event_version_id", ID),
        require("person_id", ID),
        refer_to("event_facilitator", "event_version_id", "event_version.id"),
        refer_to("event_facilitator", "person_id", "person.id"),
        make_key("event_facilitator", "event_version_id", "person_id"),
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
