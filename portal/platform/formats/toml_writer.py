"""Reads TOML into plain values, and writes plain values in one canonical form.

Keys keep their order, those with plain values before tables. A text of several lines is between three
quotation marks, tables are below headers, and a list that would make its line too long has one value on each
line. Comments are not kept: a remark for authors is the key ``note``.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

LONGEST_LINE = 110  # of a list; a longer one has one value on each line

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\b": "\\b", "\f": "\\f", "\r": "\\r"}


def parse_toml(text: str) -> dict[str, Any]:
    """Parse the text; numbers with a decimal point become ``Decimal``.

    Raises:
        ValueError: It is not TOML.
    """
    return tomllib.loads(text, parse_float=Decimal)


def format_toml(table: Mapping[str, Any]) -> str:
    r"""The table as a whole TOML text; empty for an empty table.

    >>> print(format_toml({"title": "One", "choice": [{"key": "a"}]}), end="")
    title = "One"
    <BLANKLINE>
    [[choice]]
    key = "a"
    """
    return "\n".join(_sections(table, ()))


def _sections(table: Mapping[str, Any], path: tuple[str, ...], header: str = "") -> Iterator[str]:
    """The header with the plain values below it, then each table within."""
    plain = [
        f"{_key(name)} = {_statement_value(name, v)}\n" for name, v in table.items() if not _is_headed(v)
    ]
    if header or plain:
        yield header + "".join(plain)
    for name, value in table.items():
        inner = (*path, name)
        dotted = ".".join(map(_key, inner))
        if isinstance(value, Mapping):
            yield from _sections(value, inner, f"[{dotted}]\n")
        elif _is_headed(value):
            for row in value:
                yield from _sections(row, inner, f"[[{dotted}]]\n")


def _is_headed(value: Any) -> bool:
    """Whether it is written below headers: a table, or a list of tables that is not empty."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(member, Mapping) for member in value)
    return isinstance(value, Mapping)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _basic_string(name)


def _statement_value(name: str, value: Any) -> str:
    """A value beside its key: a text or a list may take several lines."""
    if isinstance(value, str) and "\n" in value:
        return _multiline_string(value)
    written = _value(value)
    if isinstance(value, list | tuple) and len(f"{name} = {written}") > LONGEST_LINE:
        return "[\n" + "".join(f"  {_value(member)},\n" for member in value) + "]"
    return written


def _value(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, str):
        return _basic_string(value)
    if isinstance(value, Mapping):
        members = ", ".join(f"{_key(name)} = {_value(member)}" for name, member in value.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return _decimal(Decimal(repr(value)) if isinstance(value, float) else value)
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a type of TOML")


def _basic_string(text: str) -> str:
    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', _escape, text) + '"'


def _multiline_string(text: str) -> str:
    """A text that begins on the line below its quotation marks."""
    escaped = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\\]", _escape, text).replace('"""', '""\\"')
    return (
        f'"""\n{escaped[:-1]}\\""""'
        if escaped.endswith('"') and not escaped.endswith('\\"')
        else f'"""\n{escaped}"""'
    )


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}"


def _decimal(number: Decimal) -> str:
    if not number.is_finite():
        return str(number).lower().replace("infinity", "inf")
    digits = format(number, "f")
    return digits if "." in digits else f"{digits}.0"
