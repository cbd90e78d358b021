"""The room of the exercise that is measured: an exercise, an event, and eight syndicates of people booked."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config import Config
from portal.app import create_app
from portal.domain.accounts.services import set_password
from portal.domain.catalogue.models import Activity, EventTypeVersion
from portal.domain.people.models import PersonName
from portal.domain.people.queries import person_by_staff_number, viewer_of
from portal.features.events.models import Booking, Event, EventRoom, EventVersion
from portal.features.exercises.models import Exercise, ExerciseVersion
from portal.features.exercises.runs import RunRequest, open_run
from portal.platform import clock
from portal.platform.db import db, stamp, transaction

SYNDICATES, OF_EACH = 8, 7
INJECTS = tuple(f"measured-{number}" for number in range(1, 11))
PASSWORD = "an-exercise-of-eight-syndicates"
FACILITATOR = "D5001"


@dataclass(frozen=True, slots=True)
class Room:
    """A run that is open, and who is in it: the first two in browsers, the others as plain clients."""

    run: str
    facilitator: str
    people: list[tuple[str, int]]  # staff number and syndicate


def make_room(instance: Path) -> Room:
    """Open the exercise at an event in this folder's force, with two people more than eight times seven."""
    app = create_app(Config(mode="demo", secret_key="k" * 32, instance=instance))
    with app.app_context():
        facilitator = person_by_staff_number(FACILITATOR)
        with transaction():
            set_password(facilitator, PASSWORD, clock.now())
            event = _make_event(facilitator)
            people = _book_people(event)
            _make_exercise()
        viewer = viewer_of(facilitator)
        assert viewer
        with transaction():
            run = open_run(viewer, RunRequest("measured", "event", event.reference), clock.now())
        db.session.remove()
        db.engine.dispose()
    return Room(run, FACILITATOR, people)


def _add(row: Any) -> Any:
    db.session.add(row)
    db.session.flush()
    return row


def _make_event(facilitator: int) -> Event:
    at, now = stamp(), clock.now()
    activity = _add(Activity(recorded_at=at, kind="event", key="measured"))
    kind = _add(
        EventTypeVersion(
            recorded_at=at, activity_id=activity.id, number=1, digest="measured-1", content=b"",
            title="Measured", aim="Measure.", audience="Everybody", owner="Nobody",
            review_on=date(2030, 1, 1), minutes=120, syndicate_least=4,
            syndicate_most=8, places_least=4, places_most=100,
            facilitators=1, approval=False, preparation=[], published_at=now,
        )
    )  # fmt: skip
    room = _add(EventRoom(name="Measured", capacity=100, directions="Here."))
    event: Event = _add(Event(recorded_at=at, reference="EV-9000", activity_id=activity.id))
    _add(
        EventVersion(
            recorded_at=at, event_id=event.id, number=0, type_version_id=kind.id, starts_at=now,
            ends_at=now + timedelta(hours=4), held_on=clock.london_day(now), room_id=room.id,
            syndicates=SYNDICATES, places=100, notes="", reason="", changed_by_id=facilitator,
        )
    )  # fmt: skip
    return event


def _book_people(event: Event) -> list[tuple[str, int]]:
    """Book people who have no account of the demo's own, each with a password."""
    rows = db.session.execute(
        select(PersonName.person_id, PersonName.staff_number)
        .where(PersonName.staff_number.not_like("D%"))
        .order_by(PersonName.staff_number)
    ).all()
    at, people = stamp(), []
    here = [row for row in rows if (viewer := viewer_of(row.person_id)) and viewer.has_post]
    for place, (person_id, staff_number) in enumerate(here[: SYNDICATES * OF_EACH + 2]):
        syndicate = 1 + place % SYNDICATES
        set_password(person_id, PASSWORD, clock.now())
        _add(
            Booking(
                asked_at=at, event_id=event.id, activity_id=event.activity_id, person_id=person_id,
                state="booked", state_at=at, way="self", booked_by_id=person_id, syndicate=syndicate,
            )
        )  # fmt: skip
        people.append((staff_number, syndicate))
    return people


def _make_exercise() -> None:
    exercise = _add(Exercise(recorded_at=stamp(), key="measured"))
    injects = [
        {
            "key": key, "title": f"Inject {key}", "minute": None, "cue": "Now", "syndicates": [],
            "turning_point": False, "html": "<p>A lorry stood at the services.</p>" * 8,
            "facilitator_html": "",
            "questions": [
                {
                    "key": f"{key}-{number}", "kind": "decision", "prompt_html": "What do you do?",
                    "reason": True, "choices": [],
                }
                for number in (1, 2)
            ],
        }
        for key in INJECTS
    ]  # fmt: skip
    content = {
        "roles": [], "briefing_html": "", "facilitator_html": "", "injects": injects, "plenary": [],
        "debrief_html": "",
    }  # fmt: skip
    _add(
        ExerciseVersion(
            recorded_at=stamp(), exercise_id=exercise.id, number=1, digest="measured-1", title="Measured",
            summary="Measured.", owner="Nobody", review_on=date(2030, 1, 1), minutes=60, content=content,
            published_at=clock.now(),
        )
    )  # fmt: skip
