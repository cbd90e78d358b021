"""Checks the plan of an event, and lists what can be chosen for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from portal.domain.catalogue.event_types import current_event_types
from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.queries import EventDetails, EventFilters, EventPerson, list_events
from portal.domain.events.rooms import room_with_id
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.visibility.rules import is_granted_to
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission, roles_with
from portal.platform.wording import instant, plural

FARTHEST = timedelta(days=3 * 366)  # ahead: beyond it, the year was mistyped


@dataclass(frozen=True, slots=True)
class EventPlan:
    """When and where an event is planned, and for how many people."""

    type_version_id: int
    starts_at: datetime
    minutes: int
    room_id: int
    syndicates: int
    places: int
    facilitators: tuple[int, ...] = ()
    notes: str = ""

    @property
    def ends_at(self) -> datetime:
        """The end: ``minutes`` after the start, even if the clocks change in between."""
        return self.starts_at + timedelta(minutes=self.minutes)


class PlanRefusedError(RuleError):
    """A plan that cannot take place; ``field`` names the field to change."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


def list_event_types() -> dict[str, EventTypeVersion]:
    """The newest version of each event type, by key."""
    return {version.activity.key: version for version in current_event_types()}


def event_type_with_id(version_id: int) -> EventTypeVersion:
    """The version of an event type with an id."""
    return db.session.get_one(EventTypeVersion, version_id)


def list_possible_facilitators(day: date) -> list[EventPerson]:
    """Everybody whose role lets them run events on ``day``, by name."""
    roles = sorted(roles_with(Permission.EVENT_RUN))
    holders = select(RoleGrant.person_id).where(
        is_granted_to(RoleGrant.person_id, day), RoleGrant.role.in_(roles)
    )
    names = db.session.scalars(
        select(PersonName)
        .where(PersonName.person_id.in_(holders))
        .order_by(PersonName.surname, PersonName.staff_number)
    )
    return [EventPerson(name.person_id, name.staff_number, name.full_name.strip()) for name in names]


def refuse_faulty_plan(plan: EventPlan, *, at: datetime, event: EventDetails | None = None) -> None:
    """Refuse a plan that cannot take place.

    Args:
        plan: The plan.
        at: Now.
        event: The event that it changes; None for a new one.

    Raises:
        PlanRefusedError: The plan is refused; its text says why.
    """
    if plan.starts_at <= at:
        raise PlanRefusedError("day", "This is in the past. Enter a time in the future.")
    if plan.starts_at > at + FARTHEST:
        raise PlanRefusedError("day", "This is more than three years ahead. Check the year.")
    _refuse_wrong_numbers(plan, event_type_with_id(plan.type_version_id))
    if event is not None and plan.places < event.bookings.taken:
        raise PlanRefusedError(
            "places",
            f"{plural(event.bookings.taken, 'place is', 'places are')} taken. Enter at least as many.",
        )
    _refuse_wrong_room(plan, event)
    _refuse_clashes(plan, event)


def _refuse_wrong_numbers(plan: EventPlan, event_type: EventTypeVersion) -> None:
    if not event_type.places_least <= plan.places <= event_type.places_most:
        raise PlanRefusedError(
            "places",
            f"{event_type.title} takes {event_type.places_least} to {event_type.places_most} people at one "
            "event.",
        )
    if plan.places > plan.syndicates * event_type.syndicate_most:
        raise PlanRefusedError(
            "syndicates",
            f"A syndicate has at most {plural(event_type.syndicate_most, 'person', 'people')}: "
            f"{plan.places} places need more syndicates.",
        )
    if plan.places < plan.syndicates * event_type.syndicate_least:
        raise PlanRefusedError(
            "syndicates",
            f"A syndicate has at least {plural(event_type.syndicate_least, 'person', 'people')}: "
            f"{plan.places} places are too few for {plural(plan.syndicates, 'syndicate')}.",
        )


def _refuse_wrong_room(plan: EventPlan, event: EventDetails | None) -> None:
    try:
        room = room_with_id(plan.room_id)
    except NotFoundError as error:
        raise PlanRefusedError("room", "Select a room") from error
    if room.closed and (event is None or event.room_id != room.id):
        raise PlanRefusedError("room", f"{room.name} is closed. Select another room.")
    if room.capacity < plan.places:
        raise PlanRefusedError(
            "places", f"{room.name} has room for {plural(room.capacity, 'person', 'people')}."
        )


def _refuse_clashes(plan: EventPlan, event: EventDetails | None) -> None:
    """Refuse a room or a facilitator that another event has at the same time."""
    allowed_by_id = {
        person.person_id: person for person in list_possible_facilitators(london_day(plan.starts_at))
    }
    kept_ids = {person.person_id for person in event.facilitators} if event else set()
    if refused_ids := set(plan.facilitators) - allowed_by_id.keys() - kept_ids:
        raise PlanRefusedError(
            "facilitators",
            f"{plural(len(refused_ids), 'person', 'people')} may not run events on that day. Select others.",
        )
    for other in events_during(plan.starts_at, plan.ends_at):
        if event is not None and other.id == event.id:
            continue
        when = instant(other.starts_at)
        if other.room_id == plan.room_id:
            raise PlanRefusedError("room", f"{other.room} is taken by {other.reference}, from {when}.")
        for person in other.facilitators:
            if person.person_id in plan.facilitators:
                raise PlanRefusedError(
                    "facilitators", f"{person.name} runs {other.reference} then, from {when}."
                )


def events_during(starts_at: datetime, ends_at: datetime) -> Sequence[EventDetails]:
    """List the events, without cancelled ones, that overlap a span of time."""
    return list_events(EventFilters(begins_before=ends_at, ends_after=starts_at, without_cancelled=True))
