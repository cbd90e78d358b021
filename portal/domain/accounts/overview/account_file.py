"""The list of accounts as a CSV file: one row for each person, instants in UTC."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from portal.domain.accounts.overview.account_list import AccountRow
from portal.domain.accounts.overview.ways import WAY_SOURCES
from portal.platform.clock import format_utc
from portal.platform.tables.csv_cells import csv_text

PlaceOf = Callable[[str], str]  # an address to the name of its network


def csv_pieces(rows: Iterable[AccountRow], place_of: PlaceOf, at: datetime) -> Iterator[str]:
    """The file, line by line; a text that a spreadsheet would run as a formula is made harmless.

    Args:
        rows: In the order of the list.
        place_of: Names the network of an address; empty if it has no name.
        at: The instant for which states are said.
    """
    yield _csv_line(column_names())
    for row in rows:
        yield _csv_line(_cells_of(row, place_of, at))


def column_names() -> list[str]:
    """The heads of the columns; a source of ways to sign in has two of its own."""
    ways = [name for source in WAY_SOURCES for name in (source.key, f"{source.key}_since")]
    return [
        *("staff_number", "surname", "forenames", "unit"),
        *ways,
        *("last_sign_in", "last_method", "last_browser", "last_address", "last_network"),
        *("never_signed_in", "invited_until", "locked_until", "closed_at"),
    ]


def _cells_of(row: AccountRow, place_of: PlaceOf, at: datetime) -> list[str]:
    last = row.last
    seen = ["", "", "", "", ""]
    if last is not None:
        seen = [_utc(last.signed_in_at), last.method, last.browser, last.address, place_of(last.address)]
    return [
        *(row.staff_number, row.surname, row.forenames, row.unit),
        *(cell for source in WAY_SOURCES for cell in _way_cells(row, source.key)),
        *seen,
        "yes" if last is None else "no",
        _utc(row.invited_until),
        _utc(row.lock.until if row.lock and row.lock.until > at else None),
        _utc(row.closed_at),
    ]


def _way_cells(row: AccountRow, source: str) -> tuple[str, str]:
    """What the person has of one source, and since when; several are separated by semicolons."""
    ways = [way for way in row.ways if way.source == source]
    words = "; ".join(way.detail or ("yes" if way.works else "no") for way in ways)
    return words, "; ".join(_utc(way.since) for way in ways)


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else format_utc(moment)


def _csv_line(cells: Iterable[str]) -> str:
    return ",".join(map(csv_text, cells)) + "\r\n"
