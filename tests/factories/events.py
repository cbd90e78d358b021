"""Published event types, rooms, dated events and exercises, straight as rows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity, EventTypeVersion
from portal.features.events.models import (
    Booking,
    BookingChange,
    Event,
    EventFacilitator,
    EventRoom,
    EventVersion,
)
from portal.features.exercises.models import Exercise, ExerciseVersion
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, transaction

PUBLISHED = datetime(2026, 1, 5, 9, tzinfo=UTC)
EVENT_START = datetime(2026, 6, 10, 8, 30, tzinfo=UTC)  # 09:30 in London


def make_event_type(key: str = "oic-hydra", *, title: str = "OIC Hydra", **columns: Any) -> int:
    """The next version of an event type. Returns its id."""
    with transaction():
        activity = db.session.scalar(select(Activity).where(Activity.kind == "event", Activity.key == key))
        if activity is None:
            activity = Activity(recorded_at=PUBLISHED, kind="event", key=key)
            db.session.add(activity)
            db.session.flush()
        newest = func.max(EventTypeVersion.number)
        number = db.session.scalar(select(newest).where(EventTypeVersion.activity_id == activity.id)) or 0
        values: dict[str, Any] = {
            "recorded_at": PUBLISHED,
            "activity_id": activity.id,
            "number": number + 1,
            "digest": f"{key}-{number + 1}",
            "content": b"",
            "title": title,
            "aim": "Decide as a supervisor, and say why.",
            "audience": "Supervisors in response, contact and investigation",
            "owner": "Learning and development",
            "review_on": date(2027, 5, 31),
            "minutes": 240,
            "syndicate_least": 4,
            "syndicate_most": 7,
            "places_least": 4,
            "places_most": 28,
            "facilitators": 1,
            "approval": False,
            "preparation": [],
            "published_at": PUBLISHED,
        }
        version = EventTypeVersion(**{**values, **columns})
        db.session.add(version)
        db.session.flush()
        return version.id


def make_event_room(
    name: str = "Training centre, room 1", *, unit: int | None = None, capacity: int = 60
) -> int:
    """A room. Returns its id."""
    with transaction():
        room = EventRoom(name=name, unit_id=unit, capacity=capacity, directions="Ask at the front desk.")
        db.session.add(room)
        db.session.flush()
        return room.id


def make_event(
    type_version: int,
    room: int,
    facilitator: int,
    *,
    starts_at: datetime = EVENT_START,
    places: int = 14,
    syndicates: int = 2,
    minutes: int = 240,
) -> str:
    """A planned event with one facilitator. Returns its reference."""
    with transaction():
        recorded_at = stamp()
        reference = f"EV-{1 + (db.session.scalar(select(func.count(Event.id))) or 0):04d}"
        activity_id = db.session.get_one(EventTypeVersion, type_version).activity_id
        event = Event(recorded_at=recorded_at, reference=reference, activity_id=activity_id)
        db.session.add(event)
        db.session.flush()
        version = EventVersion(
            recorded_at=recorded_at,
            event_id=event.id,
            number=0,
            type_version_id=type_version,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes),
            held_on=london_day(starts_at),
            room_id=room,
            syndicates=syndicates,
            places=places,
            notes="",
            reason="",
            changed_by_id=facilitator,
        )
        db.session.add(version)
        db.session.flush()
        db.session.add(EventFacilitator(event_version_id=version.id, person_id=facilitator))
        return reference


def make_booking(reference: str, person: int, *, state: str = "booked", syndicate: int | None = None) -> int:
    """A person's booking of an event in a state, with its trail. Returns its id."""
    with transaction():
        at = stamp()
        event = db.session.scalars(select(Event).where(Event.reference == reference)).one()
        booking = Booking(
            asked_at=at,
            event_id=event.id,
            activity_id=event.activity_id,
            person_id=person,
            state=state,
            state_at=at,
            offered_until=at + timedelta(days=2) if state == "offered" else None,
            way="self",
            booked_by_id=person,
            syndicate=syndicate,
        )
        db.session.add(booking)
        db.session.flush()
        db.session.add(
            BookingChange(recorded_at=at, booking_id=booking.id, state=state, reason="", by_id=person)
        )
        return booking.id


def make_exercise(key: str = "night-shift", *, injects: int = 3) -> int:
    """A published exercise: a timed inject each ten minutes, the last by hand. Returns its version's id."""
    rows = [_make_inject(number, timed=number < injects) for number in range(1, injects + 1)]
    with transaction():
        exercise = Exercise(recorded_at=PUBLISHED, key=key)
        db.session.add(exercise)
        db.session.flush()
        version = ExerciseVersion(
            recorded_at=PUBLISHED,
            exercise_id=exercise.id,
            number=1,
            digest=f"{key}-1",
            title="Night shift",
            summary="Decide with little time.",
            owner="Learning and development",
            review_on=date(2027, 5, 31),
            minutes=120,
            content={
                "roles": ["Response"],
                "briefing_html": "<p>You are the supervisors of one night.</p>",
                "facilitator_html": "<p>Let them decide.</p>",
                "injects": rows,
                "plenary": [{"key": "hard", "prompt_html": "What was hard?", "compares": ["q1"]}],
                "debrief_html": "<p>What would you do differently tonight?</p>",
            },
            published_at=PUBLISHED,
        )
        db.session.add(version)
        db.session.flush()
        return version.id


def _make_inject(number: int, *, timed: bool) -> dict[str, Any]:
    return {
        "key": f"inject-{number}",
        "title": f"Inject {number}",
        "minute": 10 * (number - 1) if timed else None,
        "cue": "" if timed else "When all have decided",
        "syndicates": [],
        "turning_point": number == 2,
        "html": f"<p>Message {number}.</p>",
        "facilitator_html": "<p>Expect questions.</p>",
        "questions": [
            {
                "key": f"q{number}",
                "kind": "decision",
                "prompt_html": "What do you do?",
                "reason": True,
                "choices": [],
            }
        ],
    }
