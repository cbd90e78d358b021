"""Puts the people of an event into syndicates: by suggestion, or one by one."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from portal.domain.events.models import Booking
from portal.domain.events.register.queries import RegisterEvent, RegisterPerson, get_register_event
from portal.domain.events.syndicates.balancing import Member, suggest_syndicates
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import RuleError


def suggest_groups(event: RegisterEvent, people: list[RegisterPerson]) -> dict[int, int]:
    """A balanced suggestion by booking, which nobody has accepted yet. Writes nothing."""
    members = [Member(row.booking_id, row.role, row.rank, row.unit) for row in people]
    return suggest_syndicates(
        members, syndicates=event.syndicates, least=event.syndicate_least, most=event.syndicate_most
    )


def move_people(reference: str, moves: Mapping[int, int | None], *, by: int) -> int:
    """Put people into syndicates, or out of any; people who are not named stay where they are.

    So two facilitators who move different people at once both succeed.

    Args:
        reference: Of the event.
        moves: The syndicate for each booking, None for none.
        by: The facilitator.

    Returns:
        How many changed their syndicate.

    Raises:
        RuleError: There is no such syndicate, one would be too large, or a person has no place any more.
    """
    stamp()
    event = get_register_event(reference)
    booked = select(Booking).where(Booking.event_id == event.id, Booking.state == "booked")
    bookings = {booking.id: booking for booking in db.session.scalars(booked)}
    if moves.keys() - bookings.keys():
        raise RuleError("Somebody on this page has no place at this event any more. Open the page again.")
    if any(number is not None and not 1 <= number <= event.syndicates for number in moves.values()):
        raise RuleError(f"This event has syndicates 1 to {event.syndicates}.")
    changed = 0
    for booking_id, number in moves.items():
        changed += bookings[booking_id].syndicate != number
        bookings[booking_id].syndicate = number
    _check_sizes(event, bookings.values())
    if changed:
        log("event.grouped", actor_id=by, event=reference, people=changed)
    db.session.flush()
    return changed


def _check_sizes(event: RegisterEvent, bookings: Iterable[Booking]) -> None:
    sizes = Counter(booking.syndicate for booking in bookings if booking.syndicate is not None)
    too_large = sorted(number for number, size in sizes.items() if size > event.syndicate_most)
    if too_large:
        raise RuleError(
            f"Syndicate {too_large[0]} would have {sizes[too_large[0]]} people. "
            f"It takes {event.syndicate_most} at the most."
        )
