"""A calendar file is what RFC 5545 says: its lines, its escapes, and every text whole."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from portal.platform.formats.calendar_files import DayEvent, write_calendar
from tests.platform.formats.calendar_reading import read_events

AT = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200)


def event(summary: str = "Protect", description: str = "One hour.") -> DayEvent:
    return DayEvent("a@portal.example", date(2026, 4, 30), summary, description, "https://portal.example/")


def test_an_event_is_a_whole_day_of_nobody_else() -> None:
    content = write_calendar("Westshire, Learning; portal", [event()], AT)

    head, entry = content.decode().split("BEGIN:VEVENT\r\n")
    assert head.split("\r\n")[:3] == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Westshire\\, Learning\\; portal//EN",
    ]  # fmt: skip
    assert "METHOD:PUBLISH" in head
    assert set(entry.split("\r\n")) == {
        "UID:a@portal.example", "DTSTAMP:20260302T093005Z", "DTSTART;VALUE=DATE:20260430", "SUMMARY:Protect",
        "DESCRIPTION:One hour.", "URL:https://portal.example/", "CLASS:PRIVATE", "TRANSP:TRANSPARENT",
        "END:VEVENT", "END:VCALENDAR", "",
    }  # fmt: skip


@given(TEXT, TEXT)
def test_every_text_comes_back_from_folded_and_escaped_lines(summary: str, line: str) -> None:
    description = f"{line}\nand {line}"
    content = write_calendar("Portal", [event(summary, description), event()], AT)

    assert all(len(octets) <= 75 for octets in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    for octets in content.split(b"\r\n"):
        octets.decode()  # no character is cut in two by a fold
    first, second = read_events(content)
    assert (first["SUMMARY"], first["DESCRIPTION"]) == (summary, description)
    assert second["SUMMARY"] == "Protect"


def test_a_calendar_without_days_has_a_component_all_the_same():
    lines = write_calendar("Portal", [], AT).decode().splitlines()

    assert "BEGIN:VTIMEZONE" in lines
    assert "BEGIN:VEVENT" not in lines
    assert "BEGIN:VTIMEZONE" not in write_calendar("Portal", [event()], AT).decode()
