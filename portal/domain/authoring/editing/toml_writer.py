"""Values as TOML, in the style of the modules that stand: keys in plain lines, tables with headers."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from portal.domain.authoring.editing.text_normalisation import plain

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\b": "\\b", "\f": "\\f", "\r": "\\r"}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


def key(name: str) -> str:
    """A key, in quotation marks where it needs them."""
    return name if _BARE.fullmatch(name) else one_line(name)


def dotted(names: tuple[str, ...]) -> str:
    """A key of several parts."""
    return ".".join(map(key, names))


def value(data: Any) -> str:
    """A value in one line; a text of several lines as a multi-line string.

    >>> value(["a", 1, True, {"b": "c"}])
    '["a", 1, true, { b = "c" }]'
    """
    if isinstance(data, str):
        return text(data)
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, dict):
        return inline_table(f"{key(name)} = {inside(each)}" for name, each in data.items())
    if isinstance(data, list | tuple):
        return f"[{', '.join(map(inside, data))}]"
    return _number(data)


def inline_table(members: Any) -> str:
    """An inline table of members that are written already."""
    joined = ", ".join(members)
    return f"{{ {joined} }}" if joined else "{}"


def text(data: str) -> str:
    r"""A text as a basic string, of several lines between lines of three quotation marks.

    >>> print(text('Say "no".\nThen go.'))
    \"\"\"
    Say "no".
    Then go.\"\"\"
    """
    said = plain(data)
    return several_lines(said) if "\n" in said else one_line(said)


def one_line(data: str) -> str:
    """A text as a basic string in one line."""
    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', _escaped, data) + '"'


def several_lines(data: str) -> str:
    """A text as a multi-line basic string, its first line below the quotation marks."""
    return f'"""\n{closed(inside_several(data))}"""'


def closed(inside: str) -> str:
    """The inside of a multi-line basic string, its last quotation mark not to be taken for an end."""
    before = inside.removesuffix('"')
    escaped = (len(before) - len(before.rstrip("\\"))) % 2
    return inside if escaped or before == inside else f'{before}\\"'


def inside_several(data: str) -> str:
    """What stands between the quotation marks of a multi-line basic string, before ``closed``."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\\]", _escaped, data).replace('"""', '""\\"')


def table(names: tuple[str, ...], data: dict[str, Any], *, array: bool = False) -> str:
    """A table with its header and all that it holds, each table below it with a header of its own."""
    header = f"[[{dotted(names)}]]" if array else f"[{dotted(names)}]"
    return f"{header}\n{members(data, names)}"


def members(data: dict[str, Any], names: tuple[str, ...] = ()) -> str:
    """What a table holds: plain keys first, then tables."""
    lines = [f"{key(name)} = {value(each)}\n" for name, each in data.items() if not headed(each)]
    parts = ["".join(lines)] if lines else []
    for name, each in data.items():
        if headed(each):
            tables = each if isinstance(each, list) else [each]
            parts += [table((*names, name), one, array=isinstance(each, list)) for one in tables]
    return "\n".join(parts)


def headed(data: Any) -> bool:
    """Whether it is written with headers: a table, or a list of nothing but tables."""
    if isinstance(data, list):
        return bool(data) and all(isinstance(each, dict) for each in data)
    return isinstance(data, dict)


def inside(data: Any) -> str:
    """A value inside another: never of several lines."""
    return one_line(plain(data)) if isinstance(data, str) else value(data)


def _number(data: Any) -> str:
    if isinstance(data, datetime | date | time):
        return data.isoformat()
    if isinstance(data, Decimal):
        return _decimal(data)
    if isinstance(data, float):
        return _decimal(Decimal(repr(data)))
    if isinstance(data, int):
        return str(data)
    raise TypeError(f"{type(data).__name__} is no value of TOML")


def _decimal(data: Decimal) -> str:
    if not data.is_finite():
        return str(data).lower().replace("infinity", "inf")
    written = format(data, "f")
    return written if "." in written else f"{written}.0"


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}"
