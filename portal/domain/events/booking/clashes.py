"""Finds reasons why a person may not be able to attend an event: managers see them, and may still book."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from sqlalchemy import select

from portal.domain.directives.models import Exclusion
from portal.domain.events.booking.places import HOLDS_A_PLACE
from portal.domain.events.models import Booking, Event, EventFacilitator, EventVersion
from portal.domain.events.queries import EventDetails, is_newest_version
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.platform.db import db
from portal.platform.wording import clock_time
from portal.platform.wording import date as say_date

Clash = tuple[int, str]  # a person, and a sentence


def find_clashes(event: EventDetails, people: Collection[int], today: date) -> dict[int, list[str]]:
    """Find, for each person, reasons why they may not be able to attend, a sentence each. Four statements."""
    clashes: dict[int, list[str]] = {person_id: [] for person_id in people}
    for find in (_find_bookings, _find_duties):
        for person_id, sentence in find(event, people):
            clashes[person_id].append(sentence)
    for person_id, sentence in _find_ending_posts(event.held_on, people, today):
        clashes[person_id].append(sentence)
    for person_id in _find_excluded(event.held_on, people):
        clashes[person_id].append("Exempt, or has more time, on that day")
    return clashes


def _match_overlaps(event: EventDetails) -> list[Any]:
    return [
        EventVersion.event_id != event.id,
        is_newest_version(),
        ~EventVersion.cancelled,
        EventVersion.starts_at < event.ends_at,
        EventVersion.ends_at > event.starts_at,
    ]


def _find_bookings(event: EventDetails, people: Collection[int]) -> Iterator[Clash]:
    statement = (
        select(Booking.person_id, Event.reference, EventVersion.starts_at)
        .join(Event, Event.id == Booking.event_id)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .where(Booking.person_id.in_(people), Booking.state.in_(HOLDS_A_PLACE), *_match_overlaps(event))
        .order_by(EventVersion.starts_at, Event.id)
    )
    for person_id, reference, starts_at in db.session.execute(statement):
        yield person_id, f"Has a place at {reference}, {say_date(starts_at)} at {clock_time(starts_at)}"


def _find_duties(event: EventDetails, people: Collection[int]) -> Iterator[Clash]:
    statement = (
        select(EventFacilitator.person_id, Event.reference, EventVersion.starts_at)
        .join(EventVersion, EventVersion.id == EventFacilitator.event_version_id)
        .join(Event, Event.id == EventVersion.event_id)
        .where(EventFacilitator.person_id.in_(people), *_match_overlaps(event))
        .order_by(EventVersion.starts_at, Event.id)
    )
    for person_id, reference, starts_at in db.session.execute(statement):
        yield person_id, f"Runs {reference}, {say_date(starts_at)} at {clock_time(starts_at)}"


def _find_ending_posts(held_on: date, people: Collection[int], today: date) -> Iterator[Clash]:
    """The people whose post of today ends before the event's day, with its last day."""
    statement = select(Post.person_id, Post.post_key, Post.valid_from, Post.valid_to).where(
        Post.person_id.in_(people), is_known_fact(Post), Post.valid_to >= today
    )
    spans = defaultdict[tuple[int, str], list[tuple[date, date]]](list)
    for person_id, key, first_day, last_day in db.session.execute(statement):
        spans[person_id, key].append((first_day, last_day))
    for (person_id, _), days in spans.items():
        ends = [last_day for first_day, last_day in days if first_day <= today and last_day < held_on]
        if ends and not any(first_day <= held_on <= last_day for first_day, last_day in days):
            yield person_id, f"Leaves a post on {say_date(ends[0])}"


def _find_excluded(held_on: date, people: Collection[int]) -> list[int]:
    covers = (Exclusion.from_on <= held_on, Exclusion.to_on >= held_on)
    statement = select(Exclusion.person_id).where(
        Exclusion.person_id.in_(people), is_known_fact(Exclusion), *covers
    )
    return list(db.session.scalars(statement.distinct()))
