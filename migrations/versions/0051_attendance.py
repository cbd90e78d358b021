"""Bookings of places at events, the register, sign-off and attendance records."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import ATTENDANCE_FACT_TABLES, protect, unprotect

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _needs(name: str, kind: sa.types.TypeEngine[object]) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _add_place_reservation() -> None:
    op.create_table(
        "place_reservation",
        _needs("id", ID),
        _needs("event_id", ID),
        _needs("unit_id", ID),
        _needs("places", sa.Integer()),
        _needs("until_on", sa.Date()),
        _needs("reserved_by_id", ID),
        sa.CheckConstraint("places > 0", name=op.f("ck_place_reservation_has_places")),
        _refers("place_reservation", "event_id", "event.id"),
        _refers("place_reservation", "reserved_by_id", "person.id"),
        _refers("place_reservation", "unit_id", "unit.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_reservation")),
        sa.UniqueConstraint("event_id", "unit_id", name=op.f("uq_place_reservation_event_id_unit_id")),
    )


def _add_booking() -> None:
    op.create_table(
        "booking",
        _needs("id", ID),
        _needs("asked_at", INSTANT),
        _needs("event_id", ID),
        _needs("activity_id", ID),
        _needs("person_id", ID),
        _needs("sitting", sa.Integer()),
        _needs("state", WORDS),
        _needs("state_at", INSTANT),
        sa.Column("offered_until", INSTANT, nullable=True),
        _needs("way", WORDS),
        _needs("booked_by_id", ID),
        sa.Column("syndicate", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state <> 'offered' OR offered_until IS NOT NULL", name=op.f("ck_booking_offer_has_an_end")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'waiting', 'offered', 'booked', 'declined', 'cancelled', 'lapsed', 'left')",
            name=op.f("ck_booking_state_is_known"),
        ),
        _refers("booking", "activity_id", "activity.id"),
        _refers("booking", "booked_by_id", "person.id"),
        _refers("booking", "event_id", "event.id"),
        _refers("booking", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
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
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        _needs("booking_id", ID),
        _needs("state", WORDS),
        _needs("reason", WORDS),
        sa.Column("by_id", ID, nullable=True),
        _refers("booking_change", "booking_id", "booking.id"),
        _refers("booking_change", "by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_change")),
    )
    op.create_index(op.f("ix_booking_change_booking_id"), "booking_change", ["booking_id"], unique=False)


def _add_register_entry() -> None:
    op.create_table(
        "register_entry",
        _needs("key", sa.Uuid()),
        _needs("recorded_at", INSTANT),
        _needs("event_id", ID),
        _needs("person_id", ID),
        _needs("kind", WORDS),
        _needs("noted_at", INSTANT),
        _needs("means", WORDS),
        _needs("noted_by_id", ID),
        sa.CheckConstraint(
            "kind IN ('present', 'late', 'left_early', 'not_here')",
            name=op.f("ck_register_entry_kind_is_known"),
        ),
        sa.CheckConstraint(
            "means IN ('code', 'staff_number', 'register')", name=op.f("ck_register_entry_means_is_known")
        ),
        _refers("register_entry", "event_id", "event.id"),
        _refers("register_entry", "noted_by_id", "person.id"),
        _refers("register_entry", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_register_entry")),
    )
    op.create_index(
        "ix_register_entry_event_person", "register_entry", ["event_id", "person_id"], unique=False
    )


def _add_attendance_outcome() -> None:
    op.create_table(
        "attendance_outcome",
        _needs("id", ID),
        _needs("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        _needs("void", sa.Boolean()),
        _needs("event_id", ID),
        _needs("person_id", ID),
        _needs("outcome", WORDS),
        _needs("reason", WORDS),
        _needs("signed_off_by_id", ID),
        _needs("signed_off_on", sa.Date()),
        sa.Column("record_id", ID, nullable=True),
        sa.CheckConstraint(
            "outcome IN ('attended', 'part', 'absent')", name=op.f("ck_attendance_outcome_outcome_is_known")
        ),
        _refers("attendance_outcome", "event_id", "event.id"),
        _refers("attendance_outcome", "person_id", "person.id"),
        _refers("attendance_outcome", "record_id", "record.id"),
        _refers("attendance_outcome", "replaces_id", "attendance_outcome.id"),
        _refers("attendance_outcome", "signed_off_by_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_outcome")),
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
        _needs("record_id", ID),
        _needs("event_type_version_id", ID),
        _needs("event_reference", WORDS),
        _needs("signed_off_by_id", ID),
        _refers("attendance_record", "event_type_version_id", "event_type_version.id"),
        _refers("attendance_record", "record_id", "record.id"),
        _refers("attendance_record", "signed_off_by_id", "person.id"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_attendance_record")),
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
