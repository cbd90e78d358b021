"""Reads a table as other systems write it: encodings, separators, and lines that are no rows of it.

Nothing is changed in a cell. What is left out, and said, is a line above the columns' names, a line of
totals at the end, or the names once more.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from portal.platform.errors import BadInputError
from portal.platform.tables.column_names import find_names
from portal.platform.tables.ods_safety import Span

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 100  # lines from which a separator and the usual number of values are found
HEADER_PART = 0.6  # of the usual number of values, which the line of the columns' names has at least
MOST_TOTALS = 5  # lines at the end
_TOTAL = re.compile(
    r"(grand |sub)?totals?\b.*|(row )?count\b.*|sum\b.*|\d+ (rows|records)\b.*|end of .*", re.IGNORECASE
)

Line = tuple[int, list[str]]


def decode_text(content: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding: UTF-8, UTF-16 with or without a mark, else Windows-1252.

    Raises:
        BadInputError: It is in none of them.
    """
    odd, even = content[1:400:2], content[:400:2]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        names = ["utf-16"]
    elif odd and max(odd.count(0), even.count(0)) > len(odd) / 2:
        names = ["utf-16-le" if odd.count(0) >= even.count(0) else "utf-16-be"]
    else:
        names = ["utf-8-sig", "cp1252"]
    for name in names:
        try:
            return content.decode(name), {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}.get(name, "UTF-16")
        except UnicodeDecodeError:
            continue
    raise BadInputError(["The file is not text in UTF-8, UTF-16 or Windows-1252. Save it as 'CSV UTF-8'."])


def split_lines(text: str) -> tuple[Iterator[Line], str]:
    """The lines of a text as values, and their separator: the one by which most lines have as many values."""
    start = "".join(text.splitlines(keepends=True)[:LOOKED_AT])
    best, mark = (0, 0), ","
    for candidate in SEPARATORS:
        counts = Counter(len(values) for _, values in read_csv(start, candidate) if len(values) > 1)
        if counts:
            width, lines = max(counts.items(), key=lambda item: (item[1], item[0]))
            if (lines, width) > best:
                best, mark = (lines, width), candidate
    return read_csv(text, mark), mark


def read_csv(text: str, separator: str = ",", *, strict: bool = False) -> Iterator[Line]:
    """The lines that are not empty as values, each with its number; ``strict`` takes RFC 4180 alone."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    begins = 1
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield begins, values
            begins = reader.line_num + 1
    except csv.Error as error:
        why = "is not CSV as RFC 4180 has it" if strict else "cannot be split into values"
        raise BadInputError([f"Line {begins}: {why}: {error}."]) from error


def trim_lines(
    lines: list[Line], spans: Sequence[Span] | None = None
) -> tuple[list[str], list[Line], list[str]]:
    """The columns' names, the rows below them, and a sentence for each kind of line that was left out.

    A row that is shorter than the names ends with empty values, and empty ones beyond them are left out.

    Args:
        lines: Without empty ones; at least one.
        spans: Merged cells of a workbook; None for a text file.
    """
    filled = [sum(bool(value.strip()) for value in values) for _, values in lines]
    usual = max(Counter(filled[:LOOKED_AT]).items(), key=lambda item: item[0] * item[1])[0]
    least = max(min(2, usual), round(usual * HEADER_PART))
    first = next(place for place, number in enumerate(filled) if number >= least)
    names, top, begin = find_names(lines, first, spans)
    width = max(place for place, value in enumerate(names, start=1) if value.strip())
    last = len(lines)
    while (
        last > begin
        and len(lines) - last < MOST_TOTALS
        and _is_total(lines[last - 1][1], filled[last - 1], usual)
    ):
        last -= 1
    headers = [_to_width(values, width) for _, values in lines[top:begin]]
    body = [(line, _to_width(values, width)) for line, values in lines[begin:last]]
    rows = [(line, values) for line, values in body if values not in headers]
    left_out = {
        "above the columns’ names": top,
        "of totals at the end": len(lines) - last,
        "with the columns’ names again": len(body) - len(rows),
    }
    notes = [f"Left out: {n} {'line' if n == 1 else 'lines'} {what}." for what, n in left_out.items() if n]
    if len(headers) > 1:
        upper, lower = lines[top][0], lines[begin - 1][0]
        notes.insert(0, f"The columns’ names were joined from lines {upper} and {lower}.")
    return names[:width], rows, notes


def _is_total(values: list[str], filled: int, usual: int) -> bool:
    first = next(value.strip() for value in values if value.strip())
    return filled <= max(1, usual / 2) and bool(_TOTAL.fullmatch(first))


def _to_width(values: list[str], width: int) -> list[str]:
    while len(values) > width and not values[-1].strip():
        values = values[:-1]
    return values + [""] * (width - len(values))
