"""Writes an event type as a TOML file that ``EVENT_TYPE_FILES`` reads back."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

_KEYS = (
    "title",
    "aim",
    "audience",
    "owner",
    "review_on",
    "minutes",
    "facilitators",
    "approval",
    "preparation",
)


def write_event_type(values: Mapping[str, Any]) -> bytes:
    """The bytes of the file, from the values of an ``EventTypeSource`` by their names."""
    return "\n".join(_write_lines(values)).encode() + b"\n"


def _write_lines(values: Mapping[str, Any]) -> Iterator[str]:
    for key in _KEYS:
        yield f"{key} = {_write_value(values[key])}"
    for table in ("syndicate", "places"):
        yield from ("", f"[{table}]")
        yield from (f"{end} = {values[f'{table}_{end}']}" for end in ("least", "most"))


def _write_value(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
