"""The demo's event of about two weeks ago: planned, held with an exercise, and signed off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from sqlalchemy import select

from portal.domain.catalogue.publishing import current_event_type
from portal.domain.people.models import RoleGrant
from portal.feature import ForceInMaking
from portal.features.events import booking, register
from portal.features.events import services as planning
from portal.features.events import sign_off as events_sign_off
from portal.features.events.booking_queries import EventAudience
from portal.features.events.demo.planning import EVENT_TYPE, FACILITATOR
from portal.features.events.demo.types import NOTICE, require_hydra
from portal.features.events.places import instant_in_london
from portal.features.events.queries import RoomDetails, save_room
from portal.features.events.register import RegisterPerson, get_register_event, list_register
from portal.features.events.services import EventPlan
from portal.features.events.sign_off import SignOff, sign_off
from portal.platform.db import db, transaction
from portal.platform.permissions import Role

PLANNED_BEFORE = timedelta(days=21)
WEDNESDAY, SYNDICATES, BOOKED = 2, 2, 10
CALLED_AWAY = "D2001"  # attended in part, and so needs another date
ROOM = "Headquarters, Hydra suite (fictional)"
NOTES = "Three rooms and a wall. Bring nothing: the laptops are there."


@dataclass(frozen=True, slots=True)
class HeldDate:
    """The event, and the instants of its day."""

    reference: str
    starts_at: datetime

    def time_after(self, minutes: float) -> datetime:
        """The time this many minutes after the event begins."""
        return self.starts_at + timedelta(minutes=minutes)


def hold_event(force: ForceInMaking) -> None:
    """Let the days pass up to an event two weeks ago, and hold it, each act at its time."""
    held_on, a_day = choose_day(force.today), timedelta(days=1)
    planned_on = held_on - PLANNED_BEFORE
    force.pass_days(planned_on - a_day)
    require_hydra(planned_on, force.today + NOTICE)
    held = plan_held_date(held_on, force.people, force.units)
    force.pass_days(held_on - a_day)
    if held is not None:
        facilitator = force.people[FACILITATOR]
        people = keep_register(held, facilitator)
        for happen in force.at_event:
            happen(held, people, facilitator)
        sign_people_off(held, people, choose_signer(facilitator))


def choose_day(today: date) -> date:
    """The last Wednesday that is two weeks ago or longer."""
    day = today - timedelta(days=14)
    return day - timedelta(days=(day.weekday() - WEDNESDAY) % 7)


def plan_held_date(day: date, people: Mapping[str, int], units: Mapping[str, int]) -> HeldDate | None:
    """Plan the event three weeks before its day, and book supervisors; None without the event type.

    Edge only, in no transaction, when nothing later than that day's morning is recorded.

    Args:
        day: On which the event is held.
        people: Ids of people, by staff number.
        units: Ids of units, by the path below the force.
    """
    by, at = people[FACILITATOR], instant_in_london(day - PLANNED_BEFORE, time(11))
    starts_at = instant_in_london(day, time(9, 30))
    with transaction(stamp_as=at):
        event_type = current_event_type(EVENT_TYPE)
        if event_type is None:
            return None
        room = save_room(None, RoomDetails(ROOM, units[""], 24, "Behind the training suite."), by=by, at=at)
        places = SYNDICATES * event_type.syndicate_most
        plan = EventPlan(event_type.id, starts_at, event_type.minutes, room, SYNDICATES, places, (by,), NOTES)
        reference = planning.plan_events([plan], by=by, at=at)[0]
        activity_id = event_type.activity_id
    audience = EventAudience([activity_id], people.values())
    eligible = [number for number in sorted(people) if audience.may_attend(people[number], activity_id, day)]
    runs_events = set(_list_facilitators())  # nobody signs themself off
    free = [number for number in eligible if number[0] != "D" and people[number] not in runs_events]
    booked = [CALLED_AWAY] if CALLED_AWAY in eligible else []
    booked += list(reversed(free))[: BOOKED - len(booked)]
    at += timedelta(hours=2)
    with transaction(stamp_as=at):
        for number in booked:
            booking.book_place(reference, people[number], way=booking.MANAGER, by=by, at=at)
    return HeldDate(reference, starts_at)


def keep_register(held: HeldDate, by: int) -> list[RegisterPerson]:
    """Make the syndicates and note who is there: one comes late, one does not come.

    Edge only, in no transaction; returns who has a place, by syndicate.

    Args:
        held: The event.
        by: The facilitator.
    """
    with transaction(stamp_as=held.time_after(-60)):
        event = get_register_event(held.reference)
        events_sign_off.move_people(
            held.reference, events_sign_off.suggest_groups(event, list_register(event)), by=by
        )
    with transaction(stamp_as=held.time_after(12)):
        people = list_register(event)
        notes = [
            register.Note(
                uuid4(), person.booking_id, _kind_of(people, person), timedelta(minutes=12 - position)
            )
            for position, person in enumerate(people)
        ]
        register.note_entries(held.reference, notes, by=by, at=held.time_after(12))
    return people


def choose_signer(facilitator: int) -> int:
    """Choose another facilitator, so that this one may correct; this one if there is no other."""
    return next((person for person in _list_facilitators() if person != facilitator), facilitator)


def _list_facilitators() -> list[int]:
    of_role = select(RoleGrant.person_id).where(RoleGrant.role == Role.FACILITATOR)
    return list(db.session.scalars(of_role.order_by(RoleGrant.id)))


def sign_people_off(held: HeldDate, people: list[RegisterPerson], by: int) -> None:
    """Sign everybody off in the afternoon. Edge only, in no transaction; arguments as ``keep_register``."""
    at = held.time_after(300)
    with transaction(stamp_as=at):
        decisions = []
        for person in people:
            if person.staff_number == CALLED_AWAY:
                decisions.append(SignOff(person.booking_id, "part", "called_away"))
            elif _kind_of(people, person) == "not_here":
                decisions.append(SignOff(person.booking_id, "absent", "duties"))
            else:
                decisions.append(SignOff(person.booking_id, "attended"))
        sign_off(held.reference, decisions, by=by, at=at)


def _kind_of(people: list[RegisterPerson], person: RegisterPerson) -> str:
    """Of at least four people, one is late and another does not come."""
    others = [other for other in people if other.staff_number != CALLED_AWAY]
    if len(others) < 4:
        return "present"
    return {others[-1]: "not_here", others[-2]: "late"}.get(person, "present")
