"""A string of a TOML text made to say something else, in the quotation marks it was written in."""

import tomllib

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.line_diff import diff_lines
from portal.domain.authoring.editing.text_normalisation import normalise_line_ends


def rewrite_string(raw: str, old: str, new: str, *, inside: bool = False) -> str:
    """What to write instead of ``raw``, which says ``old``, so that it says ``new``.

    Blank ends stay as they were written. Of a string of several lines, a line that says the same keeps its
    characters, whatever escapes it is written with.

    Args:
        raw: The string as written, quotation marks and all.
        old: What it says.
        new: What it shall say.
        inside: Whether it stands in an array or an inline table, where a new string is kept to one line.
    """
    said = normalise_line_ends(new).strip()
    if old.strip() and said:
        said = old[: len(old) - len(old.lstrip())] + said + old[len(old.rstrip()) :]
    if raw.startswith("'''"):
        return _literal_lines(raw, said) or _basic_lines(None, said)
    if raw.startswith('"""'):
        return _basic_lines(raw, said)
    if raw.startswith("'") and not set(said) & _NOT_LITERAL:
        return f"'{said}'"
    return toml_writer.format_basic_string(said) if inside or "\n" in old else toml_writer.format_string(said)


_CONTROLS = {chr(n) for n in range(32) if n not in (9, 10)} | {"\x7f"}
_NOT_LITERAL = _CONTROLS | {"'", "\n"}


def _literal_lines(raw: str, said: str) -> str | None:
    if "'''" in said or said.endswith("'") or set(said) & _CONTROLS:
        return None
    return f"{_opening_quotes(raw, said)}{said}'''"


def _basic_lines(raw: str | None, said: str) -> str:
    if raw is None:
        return toml_writer.format_multiline_string(said)
    opening = _opening_quotes(raw, said)
    held = _logical_lines(raw[4:-3] if raw.startswith('"""\n') else raw[3:-3]) or []
    lines = said.split("\n")
    written: list[str] = []
    at = 0
    for start, end, k, m in diff_lines([value for _, value in held], lines):
        new = [toml_writer.escape_multiline(line) for line in lines[k:m]]
        if new and m == len(lines):
            new[-1] = toml_writer.escape_last_quote(new[-1])
        written += [*(each for each, _ in held[at:start]), *new]
        at = end
    written += [each for each, _ in held[at:]]
    return f'{opening}{chr(10).join(written)}"""'


def _opening_quotes(raw: str, said: str) -> str:
    """The quotation marks, with the line feed behind them where there was one or a text begins with one."""
    quotes = raw[:3]
    return f"{quotes}\n" if raw.startswith(f"{quotes}\n") or said.startswith("\n") else quotes


def _logical_lines(inside: str) -> list[tuple[str, str]] | None:
    """The lines as written, each with what it says; None where lines as written are not lines as said.

    Lines that are joined by a backslash at their end are one.
    """
    found: list[tuple[str, str]] = []
    rows = inside.split("\n")
    begin = 0
    while begin < len(rows):
        end = _end_of_logical_line(rows, begin)
        group = "\n".join(rows[begin:end])
        value = tomllib.loads(f'line = """{group}"""')["line"] if "\\" in group else group
        if "\n" in value:
            return None
        found.append((group, value))
        begin = end
    return found


def _end_of_logical_line(rows: list[str], begin: int) -> int:
    at = begin
    while _ends_in_backslash(rows[at]) and at + 1 < len(rows):
        at += 1
        while at + 1 < len(rows) and not rows[at].strip():
            at += 1
    return at + 1


def _ends_in_backslash(row: str) -> bool:
    """Whether the line ends in a backslash that is not escaped itself."""
    said = row.rstrip()
    return (len(said) - len(said.rstrip("\\"))) % 2 == 1
