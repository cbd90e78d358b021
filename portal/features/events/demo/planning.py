"""The demo's rooms and the dates that its facilitator has planned, all in the future."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.publishing import current_event_type
from portal.feature import ForceInMaking
from portal.features.events import services
from portal.features.events.demo.booking import book_places
from portal.features.events.places import instant_in_london, repeat_in_london
from portal.features.events.queries import RoomDetails, save_room
from portal.features.events.services import EventPlan
from portal.platform import clock
from portal.platform.db import transaction

EVENT_TYPE, FACILITATOR = "oic-hydra", "D5001"
WEDNESDAY = 2
NOTES = "Bring your laptop and its charger. Lunch is not provided."


def plan_and_book(force: ForceInMaking) -> None:
    """Plan what is to come, and book places there."""
    book_places(plan_dates(force.today, force.people, force.units), force.people, force.units)


def plan_dates(today: date, people: Mapping[str, int], units: Mapping[str, int]) -> list[str]:
    """Plan a series of three dates at headquarters and one in a command; return their references.

    A force without the event type gets the rooms alone. Edge only, in no transaction.

    Args:
        today: The London day.
        people: Ids of people, by staff number.
        units: Ids of units, by the path below the force.
    """
    by, at = people[FACILITATOR], clock.now()
    commands = sorted(path for path in units if path and "/" not in path)
    halls = [
        RoomDetails("Headquarters, training suite (fictional)", units[""], 40, "Sign in at the front desk."),
        RoomDetails(
            f"{commands[0]}, briefing room (fictional)",
            units[commands[0]],
            16,
            "Second floor, left of the lift.",
        ),
    ]
    with transaction():
        rooms = [save_room(None, details, by=by, at=at) for details in halls]
        kind = current_event_type(EVENT_TYPE)
        if kind is None:
            return []
        first_day = today + timedelta(days=7 + (WEDNESDAY - today.weekday()) % 7)
        starts = repeat_in_london(first_day, time(9, 30), weeks=2, count=3)
        plans = [_make_plan(kind, start, rooms[0], 3, by) for start in starts]
        nearby = instant_in_london(first_day + timedelta(days=8), time(13))
        return [
            *services.plan_events(plans, by=by, at=at),
            *services.plan_events([_make_small_plan(kind, nearby, rooms[1], by)], by=by, at=at),
        ]


def _make_plan(kind: EventTypeVersion, start: datetime, room_id: int, syndicates: int, by: int) -> EventPlan:
    """A plan with full syndicates, as many as the type and the room take."""
    places = min(syndicates * kind.syndicate_most, kind.places_most)
    return EventPlan(kind.id, start, kind.minutes, room_id, syndicates, places, (by,), NOTES)


def _make_small_plan(kind: EventTypeVersion, start: datetime, room_id: int, by: int) -> EventPlan:
    """A plan with the fewest places that the type allows: it is soon full."""
    places = kind.places_least
    syndicates = -(-places // kind.syndicate_most)
    return EventPlan(kind.id, start, kind.minutes, room_id, syndicates, places, (by,), NOTES)
