"""Bookings of places at events, the register, sign-off and attendance records."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import ATTENDANCE_FACT_TABLES, protect, unprotect
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to, require

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def _add_place_reservation() -> None:
    op.create_table(
        "place_reservation",
        require("id", ID),
        require("event_id", ID),
        require("unit_id", ID),
        require("places", sa.Integer()),
        require("until_on", sa.Date()),
        require("reserved_by_id", ID),
        sa.CheckConstraint("places > 0", name=op.f("ck_place_reservation_has_places")),
        refer_to("place_reservation", "event_id", "event.id"),
        refer_to("place_reservation", "reserved_by_id", "person.id"),
        refer_to("place_reservation", "unit_id", "unit.id"),
        make_key("place_reservation", "id"),
        sa.UniqueConstraint("event_id", "unit_id", name=op.f("uq_place_reservation_event_id_unit_id")),
    )


def _add_booking() -> None:
    op.create_table(
        "booking",
        require("id", ID),
        require("asked_at", INSTANT),
        require("event_id", ID),
        require("activity_id", ID),
        require("person_id", ID),
        require("sitting", sa.Integer()),
        require("state", WORDS),
        require("state_at", INSTANT),
        sa.Column("offered_until", INSTANT, nullable=True),
        require("way", WORDS),
        require("booked_by_id", ID),
        sa.Column("syndicate", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state <> 'offered' OR offered_until IS NOT NULL", name=op.f("ck_booking_offer_has_an_end")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'waiting', 'offered', 'booked', 'declined', 'cancelled', 'lapsed', 'left')",
            name=op.f("ck_booking_state_is_known"),
        ),
        refer_to("booking", "activity_id", "activity.id"),
        refer_to("booking", "booked_by_id", "person.id"),
        refer_to("booking", "event_id", "event.id"),
        refer_to("booking", "person_id", "person.id"),
        make_key("booking", "id"),
    )
    op.create_index("ix_booking_event_state", "booking", ["event_id", "state"], unique=False)
    op.create_index(op.f("ix_booking_person_id"), "booking", ["person_id"], unique=False)
    op.create_index(
        "uq_booking_person_activity_open",
        "booking",
        ["person_id", "activity_id", "sitting"],
        unique=True,
        sqlite_where=sa.text("state IN ('asked', 'waiting', 'offered', 'booked')"),
        postgresql_where=sa.text("state IN ('asked', 'waiting', 'offered', 'booked')"),
    )


def _add_booking_change() -> None:
    op.create_table(
        "booking_change",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("booking_id", ID),
        require("state", WORDS),
        require("reason", WORDS),
        sa.Column("by_id", ID, nullable=True),
        refer_to("booking_change", "booking_id", "booking.id"),
        refer_to("booking_change", "by_id", "person.id"),
        make_key("booking_change", "id"),
    )
    op.create_index(op.f("ix_booking_change_booking_id"), "booking_change", ["booking_id"], unique=False)


def _add_register_entry() -> None:
    op.create_table(
        "register_entry",
        require("key", sa.Uuid()),
        require("recorded_at", INSTANT),
        require("event_id", ID),
        require("person_id", ID),
        require("kind", WORDS),
        require("noted_at", INSTANT),
        require("means", WORDS),
        require("noted_by_id", ID),
        sa.CheckConstraint(
            "kind IN ('present', 'late', 'left_early', 'not_here')",
            name=op.f("ck_register_entry_kind_is_known"),
        ),
        sa.CheckConstraint(
            "means IN ('code', 'staff_number', 'register')", name=op.f("ck_register_entry_means_is_known")
        ),
        refer_to("register_entry", "event_id", "event.id"),
        refer_to("register_entry", "noted_by_id", "person.id"),
        refer_to("register_entry", "person_id", "person.id"),
        make_key("register_entry", "key"),
    )
    op.create_index(
        "ix_register_entry_event_person", "register_entry", ["event_id", "person_id"], unique=False
    )


def _add_attendance_outcome() -> None:
    op.create_table(
        "attendance_outcome",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("event_id", ID),
        require("person_id", ID),
        require("outcome", WORDS),
        require("reason", WORDS),
        require("signed_off_by_id", ID),
        require("signed_off_on", sa.Date()),
        sa.Column("record_id", ID, nullable=True),
        sa.CheckConstraint(
            "outcome IN ('attended', 'part', 'absent')", name=op.f("ck_attendance_outcome_outcome_is_known")
        ),
        refer_to("attendance_outcome", "event_id", "event.id"),
        refer_to("attendance_outcome", "person_id", "person.id"),
        refer_to("attendance_outcome", "record_id", "record.id"),
        refer_to("attendance_outcome", "replaces_id", "attendance_outcome.id"),
        refer_to("attendance_outcome", "signed_off_by_id", "person.id"),
        make_key("attendance_outcome", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_attendance_outcome_replaces_id")),
    )
    op.create_index(
        op.f("ix_attendance_outcome_person_id"), "attendance_outcome", ["person_id"], unique=False
    )
    op.create_index(
        "uq_attendance_outcome_first",
        "attendance_outcome",
        ["event_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("replaces_id IS NULL"),
        postgresql_where=sa.text("replaces_id IS NULL"),
    )


def _add_attendance_record() -> None:
    op.create_table(
        "attendance_record",
        require("record_id", ID),
        require("event_type_version_id", ID),
        require("event_reference", WORDS),
        require("signed_off_by_id", ID),
        refer_to("attendance_record", "event_type_version_id", "event_type_version.id"),
        refer_to("attendance_record", "record_id", "record.id"),
        refer_to("attendance_record", "signed_off_by_id", "person.id"),
        make_key("attendance_record", "record_id"),
    )


def upgrade() -> None:
    """Apply."""
    _add_place_reservation()
    _add_booking()
    _add_booking_change()
    _add_register_entry()
    _add_attendance_outcome()
    _add_attendance_record()
    protect(ATTENDANCE_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(ATTENDANCE_FACT_TABLES)
    op.drop_table("attendance_record")
    op.drop_table("attendance_outcome")
    op.drop_table("register_entry")
    op.drop_table("booking_change")
    op.drop_table("booking")
    op.drop_table("place_reservation")
