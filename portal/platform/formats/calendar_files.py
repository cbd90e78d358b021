"""Writes calendar files (RFC 5545) of days and meetings, which Outlook, Apple and Google calendars read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from portal.platform.clock import LONDON, london_day


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
    from icalendar import Calendar, Event, Timezone  # 3 MiB, for whoever asks for such a file

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
    if not calendar.subcomponents:  # RFC 5545 wants one at least, and calendars refuse a file without
        calendar.add_component(Timezone.from_tzinfo(LONDON, first_date=at.date(), last_date=at.date()))
    return bytes(calendar.to_ical())


class CalendarMethod(StrEnum):
    """What a calendar does with a meeting: shows it, shows it as asked by its organiser, or removes it."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Meeting:
    """Something that begins and ends at a London time.

    A file with the same ``uid`` and a higher ``sequence`` replaces the entry that a calendar has already.
    """

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str
    description: str
    url: str
    cancelled: bool = False
    organiser: str = ""  # an email address
    attendee: str = ""  # an email address; empty in a file that is for nobody in particular


def write_meeting(product: str, meeting: Meeting, method: CalendarMethod, at: datetime) -> bytes:
    """Write one meeting, in London time and with the rules of its clocks.

    Args:
        product: Name of what writes it.
        meeting: What it says.
        method: What a calendar is to do with it.
        at: Now: of two files with the same sequence, calendars keep the later one.
    """
    from icalendar import Calendar, Event

    calendar, entry = Calendar(), Event()
    for name, value in (("version", "2.0"), ("prodid", f"-//{product}//EN"), ("method", str(method))):
        calendar.add(name, value)
    for name, instant in (("dtstart", meeting.starts_at), ("dtend", meeting.ends_at)):
        local = instant.astimezone(LONDON)
        entry.add(name, instant.astimezone(UTC) if local.fold else local)  # a bare 01:30 would be the first
    for name, written_at in (("dtstamp", at), ("last-modified", meeting.changed_at)):
        entry.add(name, written_at.astimezone(UTC))
    gone = method is CalendarMethod.CANCEL or meeting.cancelled
    for name, said in (
        ("uid", meeting.uid),
        ("sequence", meeting.sequence),
        ("summary", meeting.summary),
        ("location", meeting.location),
        ("description", meeting.description),
        ("url", meeting.url),
        ("status", "CANCELLED" if gone else "CONFIRMED"),
        ("transp", "OPAQUE"),
    ):
        entry.add(name, said)
    _add_people(entry, product, meeting)
    calendar.add_component(entry)
    day, year = london_day(meeting.starts_at), timedelta(days=366)
    calendar.add_missing_timezones(first_date=day - year, last_date=day + year)
    return bytes(calendar.to_ical())


def _add_people(entry: Any, product: str, meeting: Meeting) -> None:
    """Name who asks and who is asked; no answer is wanted, since nobody reads it."""
    from icalendar import vCalAddress, vText

    if meeting.organiser:
        organiser = vCalAddress(f"mailto:{meeting.organiser}")
        organiser.params["CN"] = vText(product)
        entry.add("organizer", organiser)
    if meeting.attendee:
        attendee = vCalAddress(f"mailto:{meeting.attendee}")
        for name, value in (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "ACCEPTED"), ("RSVP", "FALSE")):
            attendee.params[name] = vText(value)
        entry.add("attendee", attendee)
