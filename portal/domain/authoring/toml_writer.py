"""Writes data as TOML in the style of the existing modules: keys on lines, tables with headers."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from portal.domain.authoring.texts import normalise_line_ends

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\b": "\\b", "\f": "\\f", "\r": "\\r"}


def format_key(name: str) -> str:
    """A key, quoted where necessary."""
    return name if _BARE.fullmatch(name) else format_basic_string(name)


def format_dotted_key(names: tuple[str, ...]) -> str:
    """A dotted key of several parts."""
    return ".".join(map(format_key, names))


def format_value(data: Any) -> str:
    """A value in one line; a text with several lines as a multi-line string.

    >>> format_value(["a", 1, True, {"b": "c"}])
    '["a", 1, true, { b = "c" }]'
    """
    if isinstance(data, str):
        return format_string(data)
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, dict):
        return format_inline_table(
            f"{format_key(name)} = {format_nested_value(member)}" for name, member in data.items()
        )
    if isinstance(data, list | tuple):
        return f"[{', '.join(map(format_nested_value, data))}]"
    return _format_scalar(data)


def format_inline_table(members: Any) -> str:
    """An inline table from members that are already formatted."""
    joined = ", ".join(members)
    return f"{{ {joined} }}" if joined else "{}"


def format_string(data: str) -> str:
    r"""A text as a basic string, or as a multi-line basic string where it has several lines.

    >>> print(format_string('Say "no".\nThen go.'))
    \"\"\"
    Say "no".
    Then go.\"\"\"
    """
    normalised = normalise_line_ends(data)
    return format_multiline_string(normalised) if "\n" in normalised else format_basic_string(normalised)


def format_basic_string(data: str) -> str:
    """A text as a basic string, in one line."""
    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', _escape_character, data) + '"'


def format_multiline_string(data: str) -> str:
    """A text as a multi-line basic string that begins on the line below its quotation marks."""
    return f'"""\n{escape_last_quote(escape_multiline(data))}"""'


def escape_last_quote(inside: str) -> str:
    """The content of a multi-line basic string with a quotation mark at its end escaped."""
    before = inside.removesuffix('"')
    escaped = (len(before) - len(before.rstrip("\\"))) % 2
    return inside if escaped or before == inside else f'{before}\\"'


def escape_multiline(data: str) -> str:
    """The escaped content of a multi-line basic string; ``escape_last_quote`` must follow."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\\]", _escape_character, data).replace('"""', '""\\"')


def format_table(names: tuple[str, ...], data: dict[str, Any], *, array: bool = False) -> str:
    """A table with its header and members; each sub-table gets a header of its own."""
    header = f"[[{format_dotted_key(names)}]]" if array else f"[{format_dotted_key(names)}]"
    return f"{header}\n{format_members(data, names)}"


def format_members(data: dict[str, Any], names: tuple[str, ...] = ()) -> str:
    """The members of a table: plain keys first, then tables."""
    lines = [
        f"{format_key(name)} = {format_value(member)}\n"
        for name, member in data.items()
        if not needs_header(member)
    ]
    parts = ["".join(lines)] if lines else []
    for name, member in data.items():
        if needs_header(member):
            tables = member if isinstance(member, list) else [member]
            parts += [
                format_table((*names, name), member_table, array=isinstance(member, list))
                for member_table in tables
            ]
    return "\n".join(parts)


def needs_header(data: Any) -> bool:
    """Whether the data is written with headers: a table, or a non-empty list of tables."""
    if isinstance(data, list):
        return bool(data) and all(isinstance(member, dict) for member in data)
    return isinstance(data, dict)


def format_nested_value(data: Any) -> str:
    """A value inside another, always in one line."""
    return format_basic_string(normalise_line_ends(data)) if isinstance(data, str) else format_value(data)


def _format_scalar(data: Any) -> str:
    if isinstance(data, datetime | date | time):
        return data.isoformat()
    if isinstance(data, Decimal):
        return _format_decimal(data)
    if isinstance(data, float):
        return _format_decimal(Decimal(repr(data)))
    if isinstance(data, int):
        return str(data)
    raise TypeError(f"{type(data).__name__} is not a type of TOML")


def _format_decimal(data: Decimal) -> str:
    if not data.is_finite():
        return str(data).lower().replace("infinity", "inf")
    digits = format(data, "f")
    return digits if "." in digits else f"{digits}.0"


def _escape_character(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}"
