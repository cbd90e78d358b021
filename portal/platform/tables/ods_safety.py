"""Checks that an ODS workbook is a plain table, and finds its merged cells, which its reader does not give.

A cell or a row may say that it is repeated: what counts is where the last of its copies stands.
"""

from dataclasses import dataclass, field

from portal.platform.errors import BadInputError
from portal.platform.tables.cell_positions import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    cell_place,
    outside_sentence,
    unvalued_sentence,
)
from portal.platform.tables.workbook_archives import (
    AMBIGUOUS,
    HOLDS_MACROS,
    PROTECTED,
    TAKES_FROM_ELSEWHERE,
    UNREADABLE,
    Attributes,
    Feed,
    feed_elements,
    look_through_part,
    opened_archive,
)

MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"
TOO_MANY_CELLS = (
    f"The workbook's sheets have more than {MOST_CELLS:,} values together. "
    "Save only the list in a new workbook, and upload that."
)
_MANIFEST, _CONTENT = "META-INF/manifest.xml", "content.xml"
_MOST_DIGITS = 12  # of a number of copies
_FIRST_ROWS = 100  # in which merged cells are noted
_FROM_ELSEWHERE = frozenset({"table-source", "cell-range-source", "dde-links", "dde-link", "dde-source"})

Span = tuple[int, int, int, int]  # first row, first column, last row, last column, from 0


@dataclass(slots=True)
class OdsTable:
    """What was found in one table of the workbook."""

    fault: str = ""  # why it cannot be read; empty if it can
    spans: list[Span] = field(default_factory=list)  # merged cells in its first rows


def is_ods(content: bytes) -> bool:
    """Whether an archive says first that it is an OpenDocument spreadsheet."""
    return content[30:38] == b"mimetype" and content[38 : 38 + len(MIMETYPE)] == MIMETYPE


def check_ods(content: bytes) -> list[OdsTable]:
    """Refuse a workbook that is ambiguous, or is not a plain table; what was found in each of its tables.

    Raises:
        BadInputError: Says in a sentence what is wrong with the workbook as a whole, and what to do.
    """
    scan = _ContentScan()
    feeds: dict[str, Feed] = {
        _CONTENT: feed_elements(scan.start_element, scan.end_element),
        _MANIFEST: feed_elements(_refuse_encryption),
    }
    with opened_archive(content) as archive:
        names = [entry.name for entry in archive.entries]
        if any(name.startswith(("Basic/", "Scripts/")) for name in names):
            raise BadInputError([HOLDS_MACROS])
        if "encrypted-package" in names:
            raise BadInputError([PROTECTED])
        if any(name.startswith("xl/") for name in names):  # another reader would take it for an XLSX
            raise BadInputError([AMBIGUOUS])
        if not feeds.keys() <= set(names):
            raise BadInputError([UNREADABLE])
        for entry in sorted(archive.entries, key=lambda entry: entry.name != _MANIFEST):
            look_through_part(archive, entry, feeds.get(entry.name))
    return scan.tables


def _refuse_encryption(tag: str, _attributes: Attributes) -> None:
    if tag == "encryption-data":
        raise BadInputError([PROTECTED])


class _ContentScan:
    """Follows the elements of the workbook's content."""

    def __init__(self) -> None:
        self.tables: list[OdsTable] = []
        self._inside = False  # a table
        self._row = self._column = 0  # where the next row, and the next cell of it, begin, from 0
        self._row_copies = 1
        self._cells = 0  # with a value, of all tables

    def start_element(self, tag: str, attributes: Attributes) -> None:
        """Note a table, a row or a cell."""
        if tag in _FROM_ELSEWHERE:
            raise BadInputError([TAKES_FROM_ELSEWHERE])
        if tag == "table":
            if self._inside:  # one in a cell of another, which readers take for different things
                raise BadInputError([AMBIGUOUS])
            self._inside, self._row = True, 0
            self.tables.append(OdsTable())
        elif self._inside and tag == "table-row":
            self._row_copies, self._column = _read_copies(attributes, "table:number-rows-repeated"), 0
        elif self._inside and tag in {"table-cell", "covered-table-cell"}:
            self._add_cell(attributes)

    def end_element(self, tag: str) -> None:
        """Note the end of a table or a row."""
        if tag == "table":
            self._inside = False
        elif tag == "table-row":
            self._row += self._row_copies

    def _add_cell(self, attributes: Attributes) -> None:
        copies = _read_copies(attributes, "table:number-columns-repeated")
        row, column, table = self._row, self._column, self.tables[-1]
        self._column += copies
        across = _read_copies(attributes, "table:number-columns-spanned")
        down = _read_copies(attributes, "table:number-rows-spanned")
        if row < _FIRST_ROWS and (across > 1 or down > 1):
            table.spans.append((row, column, row + down - 1, column + across - 1))
        if "office:value-type" not in attributes:
            if "table:formula" in attributes:
                table.fault = table.fault or unvalued_sentence(cell_place(row + 1, column + 1))
            return
        self._cells += copies * self._row_copies
        last_row, last_column = row + self._row_copies, column + copies
        if last_row > MOST_ROWS + 1 or last_column > MOST_COLUMNS:
            table.fault = table.fault or outside_sentence(cell_place(last_row, last_column))
        elif self._cells > MOST_CELLS:
            raise BadInputError([TOO_MANY_CELLS])


def _read_copies(attributes: Attributes, name: str) -> int:
    """A number of an attribute, which is 1 where it is not given."""
    text = attributes.get(name, "1")
    if not text.isascii() or not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) < 1:
        raise BadInputError([AMBIGUOUS])
    return int(text)
