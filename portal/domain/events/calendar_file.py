"""An event as an entry of a calendar, whose later versions replace it there."""

from datetime import datetime
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from portal.domain.events.queries import EventDetails
from portal.platform.clock import format_utc
from portal.platform.formats.calendar_files import CalendarMethod, Meeting, write_meeting


def calendar_name_of(event: EventDetails) -> str:
    """The name under which every calendar knows the event, whatever becomes of it: reference and birth."""
    return str(uuid5(NAMESPACE_URL, f"events/{event.reference}/{format_utc(event.planned_at)}"))


def write_event_file(
    event: EventDetails,
    *,
    force: str,
    address: str,
    at: datetime,
    method: CalendarMethod = CalendarMethod.PUBLISH,
    organiser: str = "",
    attendee: str = "",
) -> bytes:
    """Write an event as a calendar file.

    The version's number is the sequence, so that Outlook replaces its entry; an end removes it.

    Args:
        event: The event.
        force: Name of the force.
        address: Of the portal, for links.
        at: Now.
        method: What the calendar is to do; a cancelled event is always removed.
        organiser: Email address of the sender, in a mail.
        attendee: Email address of the reader, in a mail.
    """
    gone = event.cancelled or method is CalendarMethod.CANCEL
    page = f"{address}/events/{quote(event.reference, safe='')}"
    meeting = Meeting(
        uid=calendar_name_of(event),
        sequence=event.number,
        changed_at=event.recorded_at,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        summary=f"{'Cancelled: ' if gone else ''}{event.title}",
        location=event.room,
        description=_description_of(event, page),
        url=page,
        cancelled=gone,
        organiser=organiser,
        attendee=attendee,
    )
    return write_meeting(f"{force} Learning portal", meeting, CalendarMethod.CANCEL if gone else method, at)


def _description_of(event: EventDetails, page: str) -> str:
    texts = [f"Cancelled: {event.reason}" if event.cancelled else "", event.notes, event.directions, page]
    return "\n\n".join(text for text in texts if text)
