"""A run at an event with its facilitator and two who take part, for tests of the plenary."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import func, select

from portal.features.events.models import Event
from portal.features.exercises.models import ExerciseRun, LogEntry, RunStep
from portal.platform.db import db, stamp, transaction
from portal.platform.permissions import Role
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type, make_exercise
from tests.factories.people import make_grant, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, make_account

FACILITATOR, PRIYA, TOM, OUTSIDER = "D5001", "D1001", "D1002", "D1009"


@dataclass
class Room:
    """The ids of the people by staff number, and the run."""

    app: Flask
    people: dict[str, int]
    run_id: int
    reference: str

    def browser(self, staff_number: str) -> PortalClient:
        client = another(self.app)
        let_in(client, staff_number)
        return client

    def path(self, rest: str = "") -> str:
        return f"/exercises/{self.reference}/plenary{rest}"


def make_room(app: Flask, *, kind: str = "event") -> Room:
    unit = make_unit("Response")
    people = {number: make_account(number, unit=unit) for number in (FACILITATOR, PRIYA, TOM, OUTSIDER)}
    make_grant(people[FACILITATOR], Role.FACILITATOR)
    event = make_event(make_event_type(), make_event_room(), people[FACILITATOR])
    make_booking(event, people[PRIYA], syndicate=1)
    make_booking(event, people[TOM], syndicate=2)
    version = make_exercise()
    with transaction():
        event_id = db.session.scalar(select(Event.id).where(Event.reference == event))
        number = 1 + (db.session.scalar(select(func.count(ExerciseRun.id))) or 0)
        run = ExerciseRun(
            recorded_at=stamp(),
            reference=f"EX-{number:04d}",
            exercise_version_id=version,
            event_id=event_id if kind == "event" else None,
            kind=kind,
            syndicates=2,
            opened_by_id=people[FACILITATOR],
        )
        db.session.add(run)
        db.session.flush()
        run_id, reference = run.id, run.reference
    return Room(app, people, run_id, reference)


def add_step(room: Room, kind: str, *, inject: str = "", words: str = "") -> None:
    with transaction():
        db.session.add(
            RunStep(
                recorded_at=stamp(),
                run_id=room.run_id,
                key=uuid4(),
                kind=kind,
                inject_key=inject,
                syndicate=0,
                text=words,
                by_id=room.people[FACILITATOR],
            )
        )


def begin_plenary(room: Room) -> None:
    """The exercise has begun, and its plenary is on."""
    add_step(room, "start")
    add_step(room, "plenary")


def add_answer(
    room: Room, syndicate: int, text: str, reason: str = "", *, corrects: int | None = None
) -> int:
    with transaction():
        entry = LogEntry(
            recorded_at=stamp(),
            run_id=room.run_id,
            key=uuid4(),
            syndicate=syndicate,
            kind="correction" if corrects else "answer",
            inject_key="inject-1",
            question_key="q1",
            answer={"text": text, "reason": reason},
            corrects_id=corrects,
            by_id=room.people[PRIYA],
        )
        db.session.add(entry)
        db.session.flush()
        return entry.id


def uuid_of(text: str) -> UUID:
    return UUID(text)
