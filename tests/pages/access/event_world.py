"""The events and the run among which the matrix asks: a booking of each subject, and one who facilitates."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from portal.features.events.models import Event
from portal.features.exercises.models import ExerciseRun, RunStep
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.permissions import Role
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type, make_exercise
from tests.factories.people import make_grant, make_person

EVENT, RUN = "EV-0001", "EX-0001"  # what an address names


def make_event_world(unit: int, people: list[int]) -> None:
    """An event to come with a run that has ended; each of these people has a place in a syndicate there."""
    facilitator = make_person(unit, staff_number="HOST", surname="Vale", forenames="Robin")
    make_grant(facilitator, Role.FACILITATOR)
    type_version, room = make_event_type("oic-hydra"), make_event_room("Matrix room")
    tomorrow = clock.now() + timedelta(days=1)
    reference = make_event(type_version, room, facilitator, starts_at=tomorrow, syndicates=3)
    assert reference == EVENT
    for syndicate, person in enumerate(people, start=1):
        make_booking(reference, person, syndicate=syndicate)
    version = make_exercise()
    with transaction():
        event_id = db.session.scalars(select(Event.id).where(Event.reference == reference)).one()
        run = ExerciseRun(
            recorded_at=stamp(),
            reference=RUN,
            exercise_version_id=version,
            event_id=event_id,
            kind="event",
            syndicates=3,
            opened_by_id=facilitator,
        )
        db.session.add(run)
        db.session.flush()
        for kind in ("start", "plenary", "end"):
            step = {"key": uuid4(), "kind": kind, "inject_key": "", "syndicate": 0, "text": ""}
            db.session.add(RunStep(recorded_at=stamp(), run_id=run.id, by_id=facilitator, **step))
            db.session.flush()
