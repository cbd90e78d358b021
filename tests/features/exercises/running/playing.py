"""What the tests of runs share: an exercise, an event with two syndicates, and people who press."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from portal.domain.people.queries import Viewer, viewer_of
from portal.features.exercises import run_queries, runs
from portal.features.exercises.runs import EntryRequest, RunRequest, StepRequest, open_run
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Role
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type, make_exercise
from tests.factories.people import make_grant, make_person, make_unit

MORNING = datetime(2026, 6, 10, 9, tzinfo=UTC)


@dataclass
class Players:
    """A run at an event: its facilitator, one person of syndicate 1, two of syndicate 2."""

    run: str
    event: str
    facilitator: int
    first: int
    second: int
    third: int


def viewer(person: int) -> Viewer:
    """A person as they sign in."""
    found = viewer_of(person)
    assert found
    return found


def open_as(person: int, kind: str, **more) -> str:
    """Open a run of the exercise."""
    with transaction():
        return open_run(viewer(person), RunRequest("night-shift", kind, **more), clock.now())


def make_players(injects: int = 3) -> Players:
    """Open a run at an event."""
    make_exercise(injects=injects)
    unit = make_unit("Force")
    facilitator = make_person(unit, staff_number="D5001", surname="Vale", forenames="Robin")
    make_grant(facilitator, Role.FACILITATOR)
    event = make_event(make_event_type(), make_event_room(), facilitator)
    people = [
        make_person(unit, staff_number=f"D100{n}", surname=surname)
        for n, surname in enumerate(("Adair", "Brook", "Cole"), start=1)
    ]
    for person, syndicate in zip(people, (1, 2, 2), strict=True):
        make_booking(event, person, syndicate=syndicate)
    return Players(open_as(facilitator, "event", event_reference=event), event, facilitator, *people)


def press(run: str, person: int, kind: str, key: UUID | None = None, **more) -> bool:
    """Take a step."""
    with transaction():
        return runs.take_step(run, viewer(person), key or uuid4(), StepRequest(kind, **more), clock.now())


def take_pen(run: str, person: int, syndicate: int) -> bool:
    """Become the scribe."""
    with transaction():
        return runs.become_scribe(run, viewer(person), syndicate, uuid4(), clock.now())


def write(
    run: str, person: int, syndicate: int, question: str = "q1", *, key: UUID | None = None, **more
) -> bool:
    """Write an entry."""
    answer = {"text": more.pop("text", "Send a car."), "reason": "To see."}
    requested = EntryRequest(answer, question, **more)
    with transaction():
        return runs.write_entry(run, viewer(person), syndicate, key or uuid4(), requested, clock.now())


def look(run: str, person: int, syndicate: int = 0):
    """The glance of a person and what is on the screens."""
    glance = run_queries.find_run(run, viewer(person), syndicate)
    return glance, run_queries.progress_of(glance, clock.now())
