"""Reads calendar files as RFC 5545 says, apart from the code that writes them."""

import re

_ESCAPED = re.compile(r"\\(.)")
_MEANING = {"n": "\n", "N": "\n"}


def unfold(content: bytes) -> list[str]:
    """The lines of a file: octets are unfolded before they are read as UTF-8 (section 3.1)."""
    assert content.endswith(b"\r\n")
    whole = re.sub(rb"\r\n[ \t]", b"", content)
    return whole.removesuffix(b"\r\n").decode().split("\r\n")


def read_events(content: bytes) -> list[dict[str, str]]:
    """The properties of each event by name, without their parameters; texts unescaped."""
    lines = unfold(content)
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    assert sum(line.startswith("PRODID:") for line in lines) == 1
    events: list[dict[str, str]] = []
    inside = False
    for line in lines[1:-1]:
        if line == "BEGIN:VEVENT":
            inside = True
            events.append({})
        elif line == "END:VEVENT":
            inside = False
            assert {"UID", "DTSTAMP", "DTSTART"} <= events[-1].keys()
        elif inside:
            name, _, value = line.partition(":")
            key = name.partition(";")[0]
            assert key not in events[-1]
            events[-1][key] = _ESCAPED.sub(lambda pair: _MEANING.get(pair[1], pair[1]), value)
    return events
