"""Reasons against a file as they may go by mail: with lines and columns, without values of the file.

A mail leaves the portal, and reasons name staff numbers and addresses. The page of imports has them in full.
"""

import re
from collections.abc import Collection, Iterable

from portal.domain.imports.check_result import RowFault
from portal.domain.imports.column_mapping import TARGETS
from portal.domain.imports.profiles import DEFAULT, WIDE, WIDE_OPTIONAL
from portal.domain.people.roster.columns import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from portal.platform.tables.table_files import Sheet

HIDDEN = "…"
MOST_LINES = 50
_QUOTED = re.compile(r"“([^”]*)”|(?<!\w)'([^']*)'|\"([^\"]*)\"")
_TOKEN = re.compile(r"(?<!\w)[\w@.+-]*[\w@]")
_PLAIN = {
    "CSV",
    "RFC",
    "XLSX",
    "UTF-8",
    "UTF-16",
    "2026-04-30",
}  # in capitals or digits, and no value of a file
_OUR_NAMES = {
    *DEFAULT, *WIDE, *WIDE_OPTIONAL, *REQUIRED_COLUMNS, *OPTIONAL_COLUMNS,
    *(name for targets in TARGETS.values() for target in targets for name in (target.name, target.label)),
}  # fmt: skip


def list_safe_lines(
    faults: Iterable[RowFault], sheet: Sheet | None = None, names: Iterable[str] = ()
) -> list[str]:
    """The first reasons, each with its line; values of the file are left out.

    Args:
        faults: Why rows are bad.
        sheet: The file, whose cells are looked for in the reasons.
        names: Of its columns, beside our own; they may be said.
    """
    kept = _OUR_NAMES | set(names)
    every_fault = list(faults)
    listed = every_fault[:MOST_LINES]
    lines = {fault.line for fault in listed}
    cells = {line: values for line, values in sheet.lines if line in lines} if sheet else {}
    safe = [_format_line(fault, kept, cells.get(fault.line, ())) for fault in listed]
    more = len(every_fault) - len(listed)
    return [*safe, f"{more:,} more."] if more else safe


def _format_line(fault: RowFault, kept: Collection[str], cells: Collection[str]) -> str:
    reason = hide_values(fault.reason, kept, cells)
    return f"Line {fault.line}: {reason}" if fault.line else reason


def hide_values(reason: str, kept: Collection[str], cells: Collection[str] = ()) -> str:
    """The reason without what may be a value of the file: quoted, with digits or @, in capitals, or a cell.

    >>> hide_values("email 'hale@west.example' is that of B7 too.", {"email"})
    'email ‘…’ is that of … too.'
    """
    parts: list[str] = []
    end = 0
    for quoted in _QUOTED.finditer(reason):
        inner = next(group for group in quoted.groups() if group is not None)
        parts.append(_hide_tokens(reason[end : quoted.start()], kept, cells))
        parts.append(quoted[0] if inner in kept else f"‘{HIDDEN}’")
        end = quoted.end()
    return "".join([*parts, _hide_tokens(reason[end:], kept, cells)])


def _hide_tokens(text: str, kept: Collection[str], cells: Collection[str]) -> str:
    words = {word for cell in cells if not cell.strip().islower() for word in (cell.strip(), *cell.split())}

    def hide_token(match: re.Match[str]) -> str:
        token = match[0]
        if token in kept or token in _PLAIN or (token.isdecimal() and len(token) <= 3 and token not in words):
            return token
        is_value = token in words or "@" in token or any(character.isdigit() for character in token)
        return HIDDEN if is_value or (len(token) > 1 and token.isupper()) else token

    return _TOKEN.sub(hide_token, text)
