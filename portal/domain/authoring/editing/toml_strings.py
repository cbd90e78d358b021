"""Rewrites a string in a TOML text, in the style of quotation marks that it already has."""

import tomllib

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.line_diff import diff_lines
from portal.domain.authoring.editing.text_normalisation import normalise_line_ends


def rewrite_string(raw: str, old: str, new: str, *, inside: bool = False) -> str:
    """The text to write in place of ``raw``, so that its value changes from ``old`` to ``new``.

    Space at the ends is kept. In a multi-line string, unchanged lines keep their characters and escapes.

    Args:
        raw: The string as written, with its quotation marks.
        old: Its value.
        new: Its new value.
        inside: Whether it is part of an array or an inline table, where a new string stays in one line.
    """
    text = normalise_line_ends(new).strip()
    if old.strip() and text:
        text = old[: len(old) - len(old.lstrip())] + text + old[len(old.rstrip()) :]
    if raw.startswith("'''"):
        return _literal_lines(raw, text) or _basic_lines(None, text)
    if raw.startswith('"""'):
        return _basic_lines(raw, text)
    if raw.startswith("'") and not set(text) & _NOT_LITERAL:
        return f"'{text}'"
    return toml_writer.format_basic_string(text) if inside or "\n" in old else toml_writer.format_string(text)


_CONTROLS = {chr(n) for n in range(32) if n not in (9, 10)} | {"\x7f"}
_NOT_LITERAL = _CONTROLS | {"'", "\n"}


def _literal_lines(raw: str, text: str) -> str | None:
    if "'''" in text or text.endswith("'") or set(text) & _CONTROLS:
        return None
    return f"{_opening_quotes(raw, text)}{text}'''"


def _basic_lines(raw: str | None, text: str) -> str:
    if raw is None:
        return toml_writer.format_multiline_string(text)
    opening = _opening_quotes(raw, text)
    old_lines = _logical_lines(raw[4:-3] if raw.startswith('"""\n') else raw[3:-3]) or []
    lines = text.split("\n")
    written_lines: list[str] = []
    position = 0
    for start, end, k, m in diff_lines([value for _, value in old_lines], lines):
        new = [toml_writer.escape_multiline(line) for line in lines[k:m]]
        if new and m == len(lines):
            new[-1] = toml_writer.escape_last_quote(new[-1])
        written_lines += [*(line_text for line_text, _ in old_lines[position:start]), *new]
        position = end
    written_lines += [line_text for line_text, _ in old_lines[position:]]
    return f'{opening}{chr(10).join(written_lines)}"""'


def _opening_quotes(raw: str, text: str) -> str:
    """The opening quotation marks, with the LF that followed them or that a text beginning with LF needs."""
    quotes = raw[:3]
    return f"{quotes}\n" if raw.startswith(f"{quotes}\n") or text.startswith("\n") else quotes


def _logical_lines(inside: str) -> list[tuple[str, str]] | None:
    """The lines as written, each with its value; None where a written line contains an escaped LF.

    Lines joined by a backslash at the end count as one.
    """
    logical_lines: list[tuple[str, str]] = []
    rows = inside.split("\n")
    begin = 0
    while begin < len(rows):
        end = _end_of_logical_line(rows, begin)
        group = "\n".join(rows[begin:end])
        value = tomllib.loads(f'line = """{group}"""')["line"] if "\\" in group else group
        if "\n" in value:
            return None
        logical_lines.append((group, value))
        begin = end
    return logical_lines


def _end_of_logical_line(rows: list[str], begin: int) -> int:
    index = begin
    while _ends_in_backslash(rows[index]) and index + 1 < len(rows):
        index += 1
        while index + 1 < len(rows) and not rows[index].strip():
            index += 1
    return index + 1


def _ends_in_backslash(row: str) -> bool:
    """Whether the line ends in an unescaped backslash, which joins it to the next."""
    stripped = row.rstrip()
    return (len(stripped) - len(stripped.rstrip("\\"))) % 2 == 1
