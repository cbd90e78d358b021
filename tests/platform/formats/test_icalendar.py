"""A calendar file is what RFC 5545 says: its lines, its escapes, and every text whole."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from portal.platform.formats.icalendar import DayEvent, fold_line, write_calendar
from tests.platform.formats.calendar_reading import read_events, unfold

AT = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200)


def event(summary: str = "Protect", description: str = "One hour.") -> DayEvent:
    return DayEvent("a@portal.example", date(2026, 4, 30), summary, description, "https://portal.example/")


def test_an_event_is_a_whole_day_in_the_order_that_calendars_read() -> None:
    content = write_calendar("Westshire, Learning; portal", [event()], AT)

    assert content.decode() == (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Westshire\\, Learning\\; portal//EN\r\n"
        "METHOD:PUBLISH\r\nBEGIN:VEVENT\r\nUID:a@portal.example\r\nDTSTAMP:20260302T093005Z\r\n"
        "DTSTART;VALUE=DATE:20260430\r\nSUMMARY:Protect\r\nDESCRIPTION:One hour.\r\n"
        "URL:https://portal.example/\r\nCLASS:PRIVATE\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )


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


def test_a_line_of_75_octets_is_not_folded_and_one_of_76_is() -> None:
    assert fold_line("x" * 75) == b"x" * 75 + b"\r\n"
    assert fold_line("x" * 76) == b"x" * 75 + b"\r\n x\r\n"
    assert unfold(fold_line("é" * 80)) == ["é" * 80]
