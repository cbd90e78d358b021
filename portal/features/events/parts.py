"""What other pages show of events: what waits, a person’s places, attendance, and links."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import render_template, url_for
from flask_login import current_user

from portal.domain.learning.my_learning import RequirementRow
from portal.domain.people.visibility import Viewer
from portal.domain.reports.parameters import Position
from portal.features.events.booking_queries import list_asked_bookings
from portal.features.events.figures import read_attendance
from portal.features.events.services import list_own_places
from portal.features.events.type_proposals import count_types_for
from portal.pages.layout.navigation import Waiting
from portal.platform import clock
from portal.platform.wording import plural


def find_types(viewer: Viewer) -> Iterator[Waiting]:
    """Versions of event types that somebody else proposed."""
    if count := count_types_for(viewer.person_id):
        yield Waiting(
            f"{plural(count, 'event type waits', 'event types wait')} for you",
            plural(count, "event type to look at and publish", "event types to look at and publish"),
            url_for("events.list_types"),
            "Proposed by others",
        )


def find_bookings(viewer: Viewer) -> Iterator[Waiting]:
    """Events at which the viewer’s people asked for a place."""
    for event in list_asked_bookings(viewer, clock.now()):
        yield Waiting(
            f"{plural(event.asked, 'booking waits', 'bookings wait')} for you: {event.title}",
            event.words,
            url_for("events.book_people", reference=event.reference),
            "Your people asked for a place",
        )


def show_own_events(person_id: int, now: datetime) -> str:
    """The person’s places at events to come."""
    return render_template("events/own_events.html", places=list_own_places(person_id, now))


@dataclass(frozen=True, slots=True)
class RequirementPage:
    """Where somebody finds the dates of an event that they must attend, and what stands below its link."""

    address: str
    hint: str  # as HTML


def find_requirement_page(row: RequirementRow) -> RequirementPage:
    """The page of the event type that a requirement asks for."""
    return RequirementPage(
        url_for("events.show_places", type=row.requirement.key),
        render_template("events/requirement_hint.html", row=row),
    )


def show_attendance(position: Position) -> str:
    """How far a manager’s people have got with each event type, as at today alone."""
    events = [] if position.past else read_attendance(current_user.viewer, position.today)
    return render_template("events/attendance_pane.html", events=events)


def find_tasks() -> Iterator[tuple[str, str]]:
    """The words and the address of the page of all event types."""
    yield "Event types", url_for("events.list_types")


def address_of_type(key: str) -> str:
    """The page of one event type."""
    return url_for("events.show_type", key=key)
