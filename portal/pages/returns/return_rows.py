"""Rows of the table of a force's returns: of those that it made itself, or that came from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.returns.models import ForceReturn
from portal.domain.returns.queries import MadeReturn


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return in the table.

    Attributes:
        period: Its month.
        place: Its number in the address of its file.
        number: As the file says: 1 for the first of its month on its directive.
        directive: Its reference; "" where all are on one.
        day: On which it was made, or received.
        is_replaced: Whether a correction of it is in the table.
    """

    period: str
    place: int
    number: int
    directive: str
    day: date | datetime
    is_replaced: bool


def list_rows_of_made(made: Sequence[MadeReturn]) -> list[ReturnRow]:
    """List the rows of returns that this force made, in their order."""
    replaced = {each.row.replaces_id for each in made}
    several = len({each.content.directive for each in made}) > 1
    return [
        ReturnRow(
            each.row.period,
            each.row.number,
            each.number,
            each.content.directive if several else "",
            each.row.recorded_at,
            each.row.id in replaced,
        )
        for each in made
    ]


def list_rows_of_received(received: Iterable[ForceReturn]) -> list[ReturnRow]:
    """List the rows of returns that came from a force, the latest month first; the highest number counts."""
    rows: list[ReturnRow] = []
    for each in sorted(received, key=lambda row: (row.period, row.number), reverse=True):
        is_replaced = bool(rows) and rows[-1].period == each.period
        rows.append(ReturnRow(each.period, each.number, each.number, "", each.received_on, is_replaced))
    return rows
