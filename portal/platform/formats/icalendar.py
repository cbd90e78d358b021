"""Writes calendar files of whole days (RFC 5545), which Outlook, Apple and Google calendars read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

_LINE_OCTETS = 75  # of a line without its end; what is longer goes on in the next after a space


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
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//{escape_text(product)}//EN", "METHOD:PUBLISH"]
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.uid}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}",
            f"SUMMARY:{escape_text(event.summary)}",
            f"DESCRIPTION:{escape_text(event.description)}",
            f"URL:{event.url}",
            "CLASS:PRIVATE",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(fold_line(line) for line in lines)


def escape_text(text: str) -> str:
    r"""The text as a property's value (RFC 5545, section 3.3.11).

    >>> print(escape_text("law; aim, C:\\ and\nmore"))
    law\; aim\, C:\\ and\nmore
    """
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(text.splitlines())


def fold_line(line: str) -> bytes:
    """The line in UTF-8 with its end, folded where it is longer than 75 octets, never within a character.

    Source: RFC 5545, section 3.1.
    """
    folded, room = bytearray(), _LINE_OCTETS
    for character in line:
        octets = character.encode()
        if len(octets) > room:
            folded += b"\r\n "
            room = _LINE_OCTETS - 1
        folded += octets
        room -= len(octets)
    return bytes(folded) + b"\r\n"
