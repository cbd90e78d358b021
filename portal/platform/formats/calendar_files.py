"""Writes calendar files of whole days (RFC 5545), which Outlook, Apple and Google calendars read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from icalendar import Calendar, Event


@dataclass(frozen=True, slots=True)
class DayEvent:
    """Something of one day. A file with the same ``uid`` changes the entry that a calendar has already."""

    uid: str
    day: date
    summary: str
    description: str
    url: str


def write_calendar(product: str, events: Iterable[DayEvent], at: datetime) -> bytes:
    """Write the events as one calendar.

    Args:
        product: Name of what writes it.
        events: In the order of the file.
        at: The instant of which it tells, timezone-aware.
    """
    calendar = Calendar()
    for name, value in (("version", "2.0"), ("prodid", f"-//{product}//EN"), ("method", "PUBLISH")):
        calendar.add(name, value)
    for event in events:
        entry = Event()
        entry.add("uid", event.uid)
        entry.add("dtstamp", at.astimezone(UTC))
        entry.add("dtstart", event.day)
        entry.add("summary", event.summary)
        entry.add("description", event.description)
        entry.add("url", event.url)
        entry.add("class", "PRIVATE")
        entry.add("transp", "TRANSPARENT")
        calendar.add_component(entry)
    return bytes(calendar.to_ical())
