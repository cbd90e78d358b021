"""Values as TOML, in the style of the modules that stand: keys in plain lines, tables with headers."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from portal.domain.authoring.editing.text_normalisation import normalise_line_ends

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\b": "\\b", "\f": "\\f", "\r": "\\r"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


def format_key(name: str) -> str:
    """A key, in quotation marks where it needs them."""
    return name if _BARE.fullmatch(name) else format_basic_string(name)


def format_dotted_key(names: tuple[str, ...]) -> str:
    """A key of several parts."""
    return ".".join(map(format_key, names))


def format_value(data: Any) -> str:
    """A value in one line; a text of several lines as a multi-line string.

    >>> format_value(["a", 1, True, {"b": "c"}])
    '["a", 1, true, { b = "c" }]'
    """
    if isinstance(data, str):
        return format_string(data)
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, dict):
        return format_inline_table(
            f"{format_key(name)} = {format_nested_value(each)}" for name, each in data.items()
        )
    if isinstance(data, list | tuple):
        return f"[{', '.join(map(format_nested_value, data))}]"
    return _format_scalar(data)


def format_inline_table(members: Any) -> str:
    """An inline table of members that are written already."""
    joined = ", ".join(members)
    return f"{{ {joined} }}" if joined else "{}"


def format_string(data: str) -> str:
    r"""A text as a basic string, of several lines between lines of three quotation marks.

    >>> print(format_string('Say "no".\nThen go.'))
    \"\"\"
    Say "no".
    Then go.\"\"\"
    """
    said = normalise_line_ends(data)
    return format_multiline_string(said) if "\n" in said else format_basic_string(said)


def format_basic_string(data: str) -> str:
    """A text as a basic string in one line."""
    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', _escape_character, data) + '"'


def format_multiline_string(data: str) -> str:
    """A text as a multi-line basic string, its first line below the quotation marks."""
    return f'"""\n{escape_last_quote(escape_multiline(data))}"""'


def escape_last_quote(inside: str) -> str:
    """The inside of a multi-line basic string, its last quotation mark not to be taken for an end."""
    before = inside.removesuffix('"')
    escaped = (len(before) - len(before.rstrip("\\"))) % 2
    return inside if escaped or before == inside else f'{before}\\"'


def escape_multiline(data: str) -> str:
    """What stands between the quotation marks of a multi-line basic string, before ``escape_last_quote``."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\\]", _escape_character, data).replace('"""', '""\\"')


def format_table(names: tuple[str, ...], data: dict[str, Any], *, array: bool = False) -> str:
    """A table with its header and all that it holds, each table below it with a header of its own."""
    header = f"[[{format_dotted_key(names)}]]" if array else f"[{format_dotted_key(names)}]"
    return f"{header}\n{format_members(data, names)}"


def format_members(data: dict[str, Any], names: tuple[str, ...] = ()) -> str:
    """What a table holds: plain keys first, then tables."""
    lines = [
        f"{format_key(name)} = {format_value(each)}\n"
        for name, each in data.items()
        if not needs_header(each)
    ]
    parts = ["".join(lines)] if lines else []
    for name, each in data.items():
        if needs_header(each):
            tables = each if isinstance(each, list) else [each]
            parts += [format_table((*names, name), one, array=isinstance(each, list)) for one in tables]
    return "\n".join(parts)


def needs_header(data: Any) -> bool:
    """Whether it is written with headers: a table, or a list of nothing but tables."""
    if isinstance(data, list):
        return bool(data) and all(isinstance(each, dict) for each in data)
    return isinstance(data, dict)


def format_nested_value(data: Any) -> str:
    """A value inside another: never of several lines."""
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
    raise TypeError(f"{type(data).__name__} is no value of TOML")


def _format_decimal(data: Decimal) -> str:
    if not data.is_finite():
        return str(data).lower().replace("infinity", "inf")
    written = format(data, "f")
    return written if "." in written else f"{written}.0"


def _escape_character(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}"
