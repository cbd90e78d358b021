"""Signs off who attended an event: only that makes an attendance record.

A correction is a second person's, and new facts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations

from sqlalchemy import or_, select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.people.models import PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.records.models import Record
from portal.domain.records.queries import list_revocations
from portal.domain.records.services import record_attendance, revoke_record
from portal.features.events.models import AttendanceOutcome, Booking
from portal.features.events.register import (
    RegisterEvent,
    RegisterPerson,
    describe_outcome,
    get_register_event,
    is_reason_of,
    read_outcomes,
)
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.documents.typesetting import text_content
from portal.platform.errors import ConflictError, NotFoundError, RuleError


@dataclass(frozen=True, slots=True)
class SignOff:
    """What a facilitator says of one person with a place."""

    booking_id: int
    outcome: str
    reason: str = ""


def sign_off(reference: str, decisions: Iterable[SignOff], *, by: int, at: datetime) -> int:
    """Sign off people at an event. Repeating it changes nothing.

    Who attended gets a record of the event's day, known from now on; others get none. Whoever is signed off
    may book another event of the type. ``by``, the facilitator, cannot sign off themself.

    Returns:
        How many were signed off.

    Raises:
        RuleError: The event has not begun or was cancelled, or an outcome, its reason or a person is wrong.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    _require_begun(event, at)
    outcomes, written_count = read_outcomes(event.id), 0
    for decision in decisions:
        booking = _find_booking(event, decision.booking_id)
        _check_decision(booking.person_id, decision, by)
        earlier = outcomes.get(booking.person_id)
        if earlier is None:
            outcomes[booking.person_id] = _write_outcome(
                event, booking.person_id, decision, by, at, recorded_at
            )
            booking.sitting = event.id
            written_count += 1
        elif (earlier.outcome, earlier.reason) != (decision.outcome, decision.reason):
            earlier_outcome = describe_outcome(earlier.outcome, earlier.reason)
            raise ConflictError(f"Somebody was signed off meanwhile: {earlier_outcome}. Nothing was changed.")
    db.session.flush()
    return written_count


def correct_outcome(reference: str, decision: SignOff, *, by: int, at: datetime) -> AttendanceOutcome:
    """Correct how a person was signed off, by a second person, as new facts.

    A record that was wrong never counted; where the person attended after all, a new one is made.

    Args:
        reference: Of the event.
        decision: The right outcome.
        by: Neither who signed it off nor the person themself.
        at: Now.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    booking = _find_booking(event, decision.booking_id)
    earlier = read_outcomes(event.id).get(booking.person_id)
    if earlier is None:
        raise NotFoundError("This person was not signed off at this event.")
    _check_decision(booking.person_id, decision, by)
    if earlier.signed_off_by_id == by:
        raise RuleError("You signed this off. A second person corrects it.")
    if (earlier.outcome, earlier.reason) == (decision.outcome, decision.reason):
        raise ConflictError("This person is already signed off with this outcome.")
    if earlier.record_id is not None and not list_revocations([earlier.record_id]):
        revoke_record(earlier.record_id, event.held_on, reason="recorded_in_error", decided_by=by)
    return _write_outcome(event, booking.person_id, decision, by, at, recorded_at, earlier)


def _write_outcome(
    event: RegisterEvent,
    person_id: int,
    decision: SignOff,
    by: int,
    at: datetime,
    recorded_at: datetime,
    earlier: AttendanceOutcome | None = None,
) -> AttendanceOutcome:
    record_id = None
    if decision.outcome == "attended":
        version = db.session.get_one(EventTypeVersion, event.type_version_id)
        record_id = record_attendance(
            person_id, version, event.held_on, event_reference=event.reference, signed_off_by=by
        ).id
    outcome = AttendanceOutcome(
        recorded_at=recorded_at,
        replaces_id=earlier.id if earlier else None,
        event_id=event.id,
        person_id=person_id,
        outcome=decision.outcome,
        reason=decision.reason,
        signed_off_by_id=by,
        signed_off_on=london_day(at),
        record_id=record_id,
    )
    db.session.add(outcome)
    detail = {"event": event.reference, "outcome": decision.outcome}
    detail |= {"reason": decision.reason} if decision.reason else {}
    if earlier:
        log("attendance.corrected", actor_id=by, subject_id=person_id, **detail)
    else:
        log("attendance.signed_off", actor_id=by, subject_id=person_id, **detail)
    db.session.flush()
    return outcome


def _find_booking(event: RegisterEvent, booking_id: int) -> Booking:
    """The booking of somebody with a place, or of whoever was signed off, whatever became of it since."""
    booking = db.session.scalar(
        select(Booking).where(
            Booking.id == booking_id,
            Booking.event_id == event.id,
            or_(Booking.state == "booked", Booking.sitting == event.id),
        )
    )
    if booking is None:
        raise RuleError("Somebody on this page has no place at this event any more. Open the page again.")
    return booking


def _require_begun(event: RegisterEvent, at: datetime) -> None:
    if event.cancelled:
        raise RuleError("This event was cancelled, so nobody attended it.")
    if at < event.starts_at:
        raise RuleError("This event has not begun. Sign people off when it has.")


def _check_decision(person_id: int, decision: SignOff, by: int) -> None:
    if not is_reason_of(decision.outcome, decision.reason):
        raise RuleError(
            "Choose for each person how they attended, and a reason where they missed some of it."
        )
    if person_id == by:
        raise RuleError("Another facilitator signs you off.")


# Reads how people at an event were signed off, who did it, and with which record.


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How a person was signed off, as it holds now."""

    outcome: str
    reason: str
    signed_off_by_id: int
    signed_off_by: str
    signed_off_on: date
    reference: str  # of the attendance record; "" without one
    corrected: bool

    @property
    def words(self) -> str:
        """The outcome with its reason."""
        return describe_outcome(self.outcome, self.reason)


def list_outcomes(event_id: int) -> dict[int, OutcomeRow]:
    """How each person at an event was signed off. One statement."""
    rows = db.session.execute(
        select(AttendanceOutcome, PersonName.forenames, PersonName.surname, Record.reference)
        .outerjoin(PersonName, PersonName.person_id == AttendanceOutcome.signed_off_by_id)
        .outerjoin(Record, Record.id == AttendanceOutcome.record_id)
        .where(AttendanceOutcome.event_id == event_id, is_known_fact(AttendanceOutcome))
    )
    return {
        row.person_id: OutcomeRow(
            outcome=row.outcome,
            reason=row.reason,
            signed_off_by_id=row.signed_off_by_id,
            signed_off_by=f"{forenames} {surname}" if surname else "somebody whose name was erased",
            signed_off_on=row.signed_off_on,
            reference=reference or "",
            corrected=row.replaces_id is not None,
        )
        for row, forenames, surname, reference in rows
    }


# Puts the people of an event into syndicates: by suggestion, or one by one.

# Suggests balanced syndicates. Pure: the same people give the same suggestion.
#
# Sizes differ by one at most and lie within the limits where the numbers allow it. Roles are dealt out
# evenly; then people of the same role change places until no change puts fewer of one unit or rank
# together.

_UNIT_WEIGHT, _RANK_WEIGHT = 2, 1  # colleagues of one unit together matter more than equals of one rank


@dataclass(frozen=True, slots=True)
class Member:
    """A person to be grouped, by what is to be mixed."""

    id: int
    role: str
    rank: str
    unit: str


def suggest_syndicates(people: Sequence[Member], *, syndicates: int, least: int, most: int) -> dict[int, int]:
    """The number of a syndicate, from 1, for each person.

    Args:
        people: Everybody with a place.
        syndicates: How many there may be; fewer are used where they would be too small.
        least: People in one.
        most: People in one; more only where there are not places for all.
    """
    if not people:
        return {}
    used_count = count_syndicates_used(len(people), syndicates=syndicates, least=least, most=most)
    in_order = sorted(people, key=lambda member: (member.role, member.unit, member.rank, member.id))
    groups = {member.id: 1 + position % used_count for position, member in enumerate(in_order)}
    _spread_units_and_ranks(in_order, groups)
    return groups


def count_syndicates_used(people: int, *, syndicates: int, least: int, most: int) -> int:
    """How many syndicates so many people fill: as many as are not too small, but enough for all."""
    needed = -(-people // most)
    return max(1, min(syndicates, max(needed, people // least)))


def _spread_units_and_ranks(people: Sequence[Member], groups: dict[int, int]) -> None:
    """Swap people of one role while that helps; sizes and roles stay as they are."""
    units = Counter((groups[member.id], member.unit) for member in people)
    ranks = Counter((groups[member.id], member.rank) for member in people)
    improved = True
    while improved:  # each swap lowers the crowding, which is never negative
        improved = False
        for member, other in combinations(people, 2):
            first, second = groups[member.id], groups[other.id]
            if member.role != other.role or first == second:
                continue
            gain = _UNIT_WEIGHT * _count_pairs_saved(units, first, second, member.unit, other.unit)
            gain += _RANK_WEIGHT * _count_pairs_saved(ranks, first, second, member.rank, other.rank)
            if gain > 0:
                groups[member.id], groups[other.id] = second, first
                _swap_counts(units, first, second, member.unit, other.unit)
                _swap_counts(ranks, first, second, member.rank, other.rank)
                improved = True


def _count_pairs_saved(
    counts: Counter[tuple[int, str]], first: int, second: int, leaving: str, joining: str
) -> int:
    """How many pairs fewer there are if ``leaving`` and ``joining`` change places."""
    if leaving == joining:
        return 0
    saved = counts[first, leaving] - 1 - counts[second, leaving]
    return saved + counts[second, joining] - 1 - counts[first, joining]


def _swap_counts(
    counts: Counter[tuple[int, str]], first: int, second: int, leaving: str, joining: str
) -> None:
    counts[first, leaving] -= 1
    counts[second, leaving] += 1
    counts[second, joining] -= 1
    counts[first, joining] += 1


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


# The typesetter's markup of door sheets and name cards. Pure; every text is quoted in it.

_CARD = """block(height: 54mm, width: 100%, inset: 8mm, stroke: 0.5pt + rgb("#b1b4b6"), breakable: false)[
  #text(size: 22pt, weight: "bold")[{name}]
  #parbreak()
  #text(size: 12pt)[{below}]
  #v(1fr)
  #text(size: 14pt, weight: "bold")[{group}]
]"""


def door_sheet_markup(people: Sequence[RegisterPerson]) -> str:
    """A page for the door of each syndicate with its people, large enough to read in passing."""
    pages = [_sheet_of(number, members) for number, members in _by_syndicate(people)]
    return "\n#pagebreak()\n".join(pages) or text_content("Nobody has a place at this event yet.")


def name_card_markup(people: Sequence[RegisterPerson]) -> str:
    """Cards of eight to a page, to cut out: name, rank, unit and syndicate, by syndicate."""
    if not people:
        return text_content("Nobody has a place at this event yet.")
    cards = ",\n".join(
        _CARD.format(
            name=text_content(_spoken_name(person)),
            below=text_content(", ".join(filter(None, (person.rank, person.unit)))),
            group=text_content(_group_name(person.syndicate)),
        )
        for _, members in _by_syndicate(people)
        for person in members
    )
    return f"#grid(columns: (1fr, 1fr), gutter: 4mm,\n{cards}\n)"


def _sheet_of(number: int | None, members: Sequence[RegisterPerson]) -> str:
    names = "\n".join(
        f"- {text_content(', '.join(filter(None, (_spoken_name(person), person.rank))))}"
        for person in members
    )
    return (
        f"== #text(size: 40pt)[{text_content(_group_name(number))}]\n#v(8mm)\n#text(size: 20pt)[\n{names}\n]"
    )


def _by_syndicate(people: Sequence[RegisterPerson]) -> list[tuple[int | None, list[RegisterPerson]]]:
    """The members of each syndicate by surname; who is in none, last."""
    groups: dict[int | None, list[RegisterPerson]] = {}
    for person in sorted(people, key=lambda person: (person.surname, person.forenames)):
        groups.setdefault(person.syndicate, []).append(person)
    return sorted(groups.items(), key=lambda pair: (pair[0] is None, pair[0] or 0))


def _group_name(number: int | None) -> str:
    return f"Syndicate {number}" if number else "In no syndicate yet"


def _spoken_name(person: RegisterPerson) -> str:
    return f"{person.forenames} {person.surname}".strip() or person.name
