"""The demo's bookings: places at the first date, places of the second that are kept, and a full date."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from portal.features.events import booking
from portal.features.events.booking_queries import EventAudience
from portal.features.events.queries import event_details
from portal.platform import clock
from portal.platform.db import transaction

BOOKED = 3  # people
WAITING = 2  # people, for the last date
FREE = 5  # people who are left without a place, for whoever tries the demo to book
FACILITATOR = "D5001"
KEPT = 2  # places of the second date, for one command


def book_places(events: Sequence[str], people: dict[str, int], units: Mapping[str, int]) -> None:
    """Book for some people, keep places for a command, and fill the last date with a wait list.

    Nothing where no event is planned; the last date stays empty where too few people would be left.

    Edge only, in no transaction.

    Args:
        events: References, as ``plan_dates`` returns them.
        people: Ids of people, by staff number.
        units: Ids of units, by the path below the force.
    """
    if len(events) < 2:
        return
    by, at = people[FACILITATOR], clock.now()
    command = min(path for path in units if path and "/" not in path)
    with transaction():
        first, second = (event_details(reference) for reference in events[:2])
        audience = EventAudience([first.activity_id], people.values())
        key = (first.activity_id, first.held_on)
        eligible = [
            person_id for _, person_id in sorted(people.items()) if audience.may_attend(person_id, *key)
        ]
        for person_id in eligible[:BOOKED]:
            booking.book_place(events[0], person_id, way=booking.SELF, by=person_id, at=at)
        unbooked, fill = eligible[BOOKED:], event_details(events[-1]).places + WAITING
        if len(unbooked) >= fill + FREE:
            for person_id in unbooked[:fill]:
                booking.book_place(events[-1], person_id, way=booking.SELF, by=person_id, at=at)
        until_on = second.held_on - timedelta(days=7)
        booking.keep_places(events[1], units[command], KEPT, until_on, by=by, at=at)
