"""The bad rows of a file, to be mended in a spreadsheet."""

import csv
import io
from collections.abc import Iterator, Sequence

from portal.platform.formats.formula_guard import disarm_formula
from portal.platform.tables.table_files import Sheet


def bad_rows(sheet: Sheet, faults: Sequence[Sequence[int | str]]) -> Iterator[str]:
    """A CSV of the rows that have a fault, with their line and reasons before the file's own columns."""
    reasons: dict[int, list[str]] = {}
    for line, reason in faults:
        reasons.setdefault(int(line), []).append(str(reason))
    yield "\ufeff" + _csv_row(["line", "reason", *sheet.columns])
    for line, cells in sheet.lines:
        if line in reasons:
            yield _csv_row([str(line), " ".join(reasons[line]), *cells])


def _csv_row(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(map(disarm_formula, cells))
    return out.getvalue()
