"""Who may take a place, and how the bookings of one event must change. Pure.

People who are booked, or were offered a place, hold one. Reservations keep some of the other places for the
people of units. Free places are offered to people on the wait list in the order in which they asked; somebody
is passed over only for a place that is kept for others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal.platform.clock import LONDON, end_of_day, read_london_time
from portal.platform.errors import RuleError
from portal.platform.wording import date as date_words

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
        """When the day of the event begins in London: no place is offered on the day itself."""
        return end_of_day(self.held_on - timedelta(days=1)) + _TICK


@dataclass(frozen=True, slots=True)
class Seat:
    """One open booking, with what the rules of places need."""

    booking_id: int
    state: str
    asked_at: datetime
    offered_until: datetime | None
    units: frozenset[int]  # those of the person's posts, and all above them
    expected: bool = True  # whether the person must or may attend


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a booking's state, and why."""

    booking_id: int
    state: str
    reason: str
    offered_until: datetime | None = None


def count_kept(kept: Iterable[KeptPlaces], holders: Iterable[frozenset[int]]) -> int:
    """Count the places that are still kept for units, given the units of the people who hold a place.

    Each of these people fills a place kept for the lowest unit that they belong to, as long as there is one.
    """
    reservations = sorted(kept, key=lambda row: (-row.depth, row.unit_id))
    unfilled = [row.places for row in reservations]
    for units in holders:
        for index, row in enumerate(reservations):
            if unfilled[index] and row.unit_id in units:
                unfilled[index] -= 1
                break
    return sum(unfilled)


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
    """Count the places that anybody could have."""
    return max(0, sitting.places - len(holders) - count_kept(sitting.kept, holders))


def list_holders(seats: Iterable[Seat]) -> list[frozenset[int]]:
    """The units of each person who holds a place, in the order in which they asked."""
    return [seat.units for seat in order_seats(seats) if seat.state in HOLDS_A_PLACE]


def order_seats(seats: Iterable[Seat]) -> list[Seat]:
    """Bookings in the order in which people asked, which is the order of the wait list."""
    return sorted(seats, key=lambda seat: (seat.asked_at, seat.booking_id))


def plan_transitions(sitting: Sitting, seats: Sequence[Seat], at: datetime) -> list[Transition]:
    """Plan the changes that an event's open bookings need at an instant.

    A cancelled event ends all of them. Once it has begun, nobody waits any more. Before, people who may no
    longer attend lose their booking, offers that were not accepted lapse, and free places are offered to
    those who have waited longest. Planned again after the changes were made, at the same instant, the list is
    empty.
    """
    if sitting.cancelled:
        return [Transition(seat.booking_id, "cancelled", "event_cancelled") for seat in seats]
    if at >= sitting.starts_at:
        unbooked = [seat for seat in seats if seat.state != "booked"]
        return [Transition(seat.booking_id, "lapsed", "event_began") for seat in unbooked]
    ended = {seat.booking_id: ending for seat in seats if (ending := _ending_of(sitting, seat, at))}
    staying = [seat for seat in seats if seat.booking_id not in ended]
    return [*ended.values(), *_plan_offers(sitting, staying, at)]


def _ending_of(sitting: Sitting, seat: Seat, at: datetime) -> Transition | None:
    if not seat.expected:
        return Transition(seat.booking_id, "left", "not_expected")
    offer_ends_at = min(seat.offered_until or sitting.offers_end_at, sitting.offers_end_at)
    if seat.state == "offered" and at >= offer_ends_at:
        return Transition(seat.booking_id, "lapsed", "not_taken")
    return None


def _plan_offers(sitting: Sitting, seats: Sequence[Seat], at: datetime) -> list[Transition]:
    offered_until = min(at + OFFER_LASTS, sitting.offers_end_at)
    if offered_until <= at:
        return []
    holders, offers = list_holders(seats), list[Transition]()
    for seat in order_seats(seats):
        if seat.state == "waiting" and can_take(sitting, holders, seat.units):
            holders.append(seat.units)
            offers.append(Transition(seat.booking_id, "offered", "place_free", offered_until))
    return offers


# Converts London times of day to instants, also in the two nights on which the clocks change.

_NAMED_ZONE = re.compile(r"gmt|bst|z$", re.IGNORECASE)


class MissingTimeError(RuleError):
    """A time of day that does not exist on a day, because the clocks go forward over it."""


class RepeatedTimeError(RuleError):
    """A time of day that comes twice on a day, without a choice between the two."""


def read_time(text: str) -> time | None:
    """Read a time of day such as "9:30", "09.30" or "2pm"; None: the text is no time.

    >>> read_time("9.30am"), read_time("half past nine")
    (datetime.time(9, 30), None)
    """
    if _NAMED_ZONE.search(text):
        return None
    instant = read_london_time(f"{text} on 1 January 2026")  # in winter London has each time once
    return None if instant is None else instant.time()


def instant_in_london(day: date, at: time, *, second: bool | None = None) -> datetime:
    """The instant of a London time on a day, in UTC.

    Args:
        day: The London day.
        at: The time of day.
        second: Of two equal times, whether the second is meant (after the clocks went back); None: no
            choice, which is refused only where there are two.

    Raises:
        MissingTimeError: The clocks go forward over this time.
        RepeatedTimeError: There are two, and ``second`` is None.
    """
    first, second_instant = (
        datetime.combine(day, at, LONDON).replace(fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if first.astimezone(LONDON).replace(tzinfo=None) != datetime.combine(day, at):
        raise MissingTimeError(
            f"On {date_words(day)} the clocks go forward from 01:00 to 02:00, so {at:%H:%M} does not exist. "
            "Enter another time."
        )
    if first != second_instant and second is None:
        raise RepeatedTimeError(
            f"On {date_words(day)} the clocks go back, so {at:%H:%M} comes twice. Select which one you mean."
        )
    return second_instant if second else first


def repeat_in_london(
    day: date, at: time, *, weeks: int, count: int, second: bool | None = None
) -> list[datetime]:
    """Repeat a London time every few weeks, at the same time of day even if the clocks change.

    Args:
        day: The first day.
        at: The time of day.
        weeks: From one date to the next.
        count: Number of dates.
        second: As for ``instant_in_london``.

    Raises:
        MissingTimeError: The time does not exist on one of the days.
        RepeatedTimeError: It comes twice on one of the days, and ``second`` is None.
    """
    days = [day + timedelta(weeks=weeks * number) for number in range(count)]
    return [instant_in_london(date_of_event, at, second=second) for date_of_event in days]
