"""Checks that an XLSX workbook is a plain table: without macros, outside links or cells far from the list."""

import posixpath

from portal.platform.errors import BadInputError
from portal.platform.formats.zip_archives import ZipArchive
from portal.platform.tables.cell_positions import CellScan
from portal.platform.tables.workbook_archives import (
    HOLDS_MACROS,
    TAKES_FROM_ELSEWHERE,
    Attributes,
    Feed,
    feed_elements,
    look_through_part,
    opened_archive,
)

BOOK, BOOK_RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ELSEWHERE = ("xl/externallinks/", "xl/connections", "xl/querytables/", "xl/embeddings/")
_SHEETS = "xl/worksheets/"


def check_archive(content: bytes) -> list[str]:
    """Refuse an archive that two readers could understand differently, or that is not a plain table.

    Returns:
        By the place of each sheet in the workbook why it cannot be read; empty if it can.

    Raises:
        BadInputError: Says in a sentence what is wrong with the workbook as a whole, and what to do.
    """
    with opened_archive(content) as archive:
        _refuse_names([entry.name.lower() for entry in archive.entries])
        return _look_through(archive)


def _refuse_names(names: list[str]) -> None:
    """Refuse parts that only programs and links to elsewhere need."""
    if any(name.endswith(("vbaproject.bin", ".vba")) for name in names):
        raise BadInputError([HOLDS_MACROS])
    if any(name.startswith(_ELSEWHERE) for name in names):
        raise BadInputError([TAKES_FROM_ELSEWHERE])


def _look_through(archive: ZipArchive) -> list[str]:
    """Check every part, beginning with those that say which part is which sheet."""
    book = _Book()
    faults: dict[str, str] = {}
    for entry in sorted(archive.entries, key=lambda entry: entry.name.lower() not in {BOOK, BOOK_RELATIONS}):
        name = entry.name.lower()
        if name.endswith("/"):
            continue
        if not name.endswith(".rels") and (name.startswith(_SHEETS) or name in book.sheet_parts()):
            scan = CellScan()
            look_through_part(archive, entry, scan.feed)
            faults[name] = scan.fault
        else:
            look_through_part(archive, entry, _feed_of_part(name, book))
    any_fault = next(filter(None, faults.values()), "")
    return [faults.get(part, any_fault) for part in book.sheet_parts()] or [any_fault]


def _feed_of_part(name: str, book: "_Book") -> Feed | None:
    """What takes the pieces of the part of this name; None if nothing does."""
    if name.endswith(".rels"):
        return feed_elements(book.add_relation if name == BOOK_RELATIONS else _refuse_relation)
    handler = {BOOK: book.add_sheet, "[content_types].xml": _refuse_macros}.get(name)
    return feed_elements(handler) if handler else None


class _Book:
    """Finds the parts that hold the workbook's sheets."""

    def __init__(self) -> None:
        self._sheets: list[str] = []  # the relation of each, in the workbook's order
        self._targets: dict[str, str] = {}

    def add_sheet(self, tag: str, attributes: Attributes) -> None:
        """Note a sheet."""
        if tag == "sheet":
            self._sheets.append(
                next((value for name, value in attributes.items() if name.endswith(":id")), "")
            )

    def add_relation(self, tag: str, attributes: Attributes) -> None:
        """Note where a part of the workbook is."""
        _refuse_relation(tag, attributes)
        if tag == "Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet_parts(self) -> list[str]:
        """The name of each sheet's part, in small letters; empty where the workbook does not name it."""
        targets = (self._targets.get(sheet, "") for sheet in self._sheets)
        return [posixpath.normpath(posixpath.join("/xl", t))[1:].lower() if t else "" for t in targets]


def _refuse_relation(tag: str, attributes: Attributes) -> None:
    """Refuse references to outside files, except hyperlinks: these do nothing until clicked."""
    if tag != "Relationship" or attributes.get("TargetMode", "").lower() != "external":
        return
    if not attributes.get("Type", "").lower().endswith("/hyperlink"):
        raise BadInputError(
            ["The workbook refers to something outside it. Copy its values into a new workbook."]
        )


def _refuse_macros(_tag: str, attributes: Attributes) -> None:
    if "macroenabled" in attributes.get("ContentType", "").lower():
        raise BadInputError(["The workbook is of the kind that holds macros. Save it as XLSX."])
