"""Who may take a place, and how the bookings of one event must change. Pure.

A place is held by whoever is booked, or was offered one. Of the rest, reservations keep some for the people
of units. Whoever waits is offered a place in the order of asking, and passed over only for a place that is
kept for others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.platform.clock import end_of_day

OFFER_LASTS = timedelta(hours=48)
HOLDS_A_PLACE = ("booked", "offered")  # an offered place is kept for its person until the offer lapses
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class KeptPlaces:
    """Places that are kept for the people in and under a unit."""

    unit_id: int
    places: int
    depth: int  # of the unit below the force: where one unit is in another, the lower is filled first


@dataclass(frozen=True, slots=True)
class Sitting:
    """The facts of a dated event that decide who gets its places."""

    starts_at: datetime
    held_on: date
    places: int
    cancelled: bool
    kept: tuple[KeptPlaces, ...] = ()

    @property
    def offers_end_at(self) -> datetime:
        """When its day begins in London: nobody is asked for an answer on the day itself."""
        return end_of_day(self.held_on - timedelta(days=1)) + _TICK


@dataclass(frozen=True, slots=True)
class Seat:
    """One open booking, as far as it decides about places."""

    booking_id: int
    state: str
    asked_at: datetime
    offered_until: datetime | None
    units: frozenset[int]  # those of the person's posts, and all above them
    expected: bool = True  # whether the person must or may attend


@dataclass(frozen=True, slots=True)
class Transition:
    """A booking gets another state, and why."""

    booking_id: int
    state: str
    reason: str
    offered_until: datetime | None = None


def count_kept(kept: Iterable[KeptPlaces], holders: Iterable[frozenset[int]]) -> int:
    """How many places are still kept for units, given the units of the people who hold a place.

    Whoever holds a place fills one that is kept for the lowest unit they belong to, while there is one.
    """
    free = sorted(kept, key=lambda each: (-each.depth, each.unit_id))
    left = [each.places for each in free]
    for units in holders:
        for index, each in enumerate(free):
            if left[index] and each.unit_id in units:
                left[index] -= 1
                break
    return sum(left)


def fills_kept_place(sitting: Sitting, holders: Sequence[frozenset[int]], units: frozenset[int]) -> bool:
    """Whether somebody of these units would take a place that is kept for them."""
    return count_kept(sitting.kept, [*holders, units]) < count_kept(sitting.kept, holders)


def can_take(sitting: Sitting, holders: Sequence[frozenset[int]], units: frozenset[int]) -> bool:
    """Whether somebody of these units can have a place, given the people who hold one."""
    if len(holders) >= sitting.places:
        return False
    if fills_kept_place(sitting, holders, units):
        return True
    return len(holders) + 1 + count_kept(sitting.kept, holders) <= sitting.places


def count_free(sitting: Sitting, holders: Sequence[frozenset[int]]) -> int:
    """How many places anybody could have."""
    return max(0, sitting.places - len(holders) - count_kept(sitting.kept, holders))


def list_holders(seats: Iterable[Seat]) -> list[frozenset[int]]:
    """The units of each person who holds a place, in the order in which they asked."""
    return [seat.units for seat in order_seats(seats) if seat.state in HOLDS_A_PLACE]


def order_seats(seats: Iterable[Seat]) -> list[Seat]:
    """Bookings in the order in which people asked, which is the order of the wait list."""
    return sorted(seats, key=lambda seat: (seat.asked_at, seat.booking_id))


def plan_transitions(sitting: Sitting, seats: Sequence[Seat], at: datetime) -> list[Transition]:
    """The changes that an event's open bookings need at an instant, and no others.

    A cancelled event ends all of them. Where it has begun, nobody waits any more. Before, whoever is no
    longer expected leaves, offers that were not taken lapse, and who waits longest is offered what is free.
    Planned again after it was carried out, at the same instant, it is empty.
    """
    if sitting.cancelled:
        return [Transition(seat.booking_id, "cancelled", "event_cancelled") for seat in seats]
    if at >= sitting.starts_at:
        late = [seat for seat in seats if seat.state != "booked"]
        return [Transition(seat.booking_id, "lapsed", "event_began") for seat in late]
    ended = {seat.booking_id: ending for seat in seats if (ending := _ending_of(sitting, seat, at))}
    staying = [seat for seat in seats if seat.booking_id not in ended]
    return [*ended.values(), *_plan_offers(sitting, staying, at)]


def _ending_of(sitting: Sitting, seat: Seat, at: datetime) -> Transition | None:
    if not seat.expected:
        return Transition(seat.booking_id, "left", "not_expected")
    until = min(seat.offered_until or sitting.offers_end_at, sitting.offers_end_at)
    if seat.state == "offered" and at >= until:
        return Transition(seat.booking_id, "lapsed", "not_taken")
    return None


def _plan_offers(sitting: Sitting, seats: Sequence[Seat], at: datetime) -> list[Transition]:
    until = min(at + OFFER_LASTS, sitting.offers_end_at)
    if until <= at:
        return []
    holders, offers = list_holders(seats), list[Transition]()
    for seat in order_seats(seats):
        if seat.state == "waiting" and can_take(sitting, holders, seat.units):
            holders.append(seat.units)
            offers.append(Transition(seat.booking_id, "offered", "place_free", until))
    return offers
