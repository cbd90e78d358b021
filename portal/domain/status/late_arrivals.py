"""What was learnt of a day only after an instant: few rows, each found by an index.

Facts are mostly recorded on the day from which they hold. Rows that became known, or ended, after the
evening of their first day stand in indexes of their own; others that did so after an instant begin on the
instant's day or later.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, not_

from portal.domain.status.models import LATEST, StatusPeriod, begins, ended_late, evening, micros, opened_late

span = StatusPeriod


class Learnt(NamedTuple):
    """Rows that ended between two instants, or that became known between them and still were."""

    known_before: bool  # they ended
    rows: list[ColumnElement[bool]]


def learnt(days: tuple[date, date], since: datetime, until: datetime | None = None) -> Iterator[Learnt]:
    """In parts that share no row, all that was known on only one of two instants.

    Args:
        days: Of any of the days from the first to the last of these.
        since: The earlier instant.
        until: The later one; None: now, whatever is recorded.
    """
    first, last = (day.toordinal() for day in days)
    start, end = micros(since), LATEST if until is None else micros(until)
    of_them = [span.from_on <= last, span.to_on >= first]
    ended = [span.known_from <= start, span.known_to > start, span.known_to <= end]
    opened = [span.known_from > start, span.known_from <= end, span.known_to > end]
    for known_before, rows, late in ((True, ended, ended_late(span)), (False, opened, opened_late(span))):
        yield Learnt(known_before, [*rows, late, *of_them])
        if start < evening(last):
            begun = [begins(span), span.from_on >= since.astimezone(UTC).toordinal()]
            yield Learnt(known_before, [*rows, not_(late), *begun, *of_them])
