"""When a backup is due, and which of those made before are kept."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from portal.platform.backups.settings import Kept
from portal.platform.clock import LONDON


def last_due_at(now: datetime, at: time) -> datetime:
    """The newest instant, up to now, at which a backup was due: that time of day in London.

    >>> last_due_at(datetime(2026, 6, 1, 1, 14, tzinfo=UTC), time(2, 15)).isoformat()
    '2026-05-31T01:15:00+00:00'
    """
    today = now.astimezone(LONDON).date()
    due = datetime.combine(today, at, LONDON).astimezone(UTC)
    if due > now:
        due = datetime.combine(today - timedelta(days=1), at, LONDON).astimezone(UTC)
    return due


def choose_kept(moments: Iterable[datetime], kept: Kept) -> set[datetime]:
    """Which backups are kept: the newest of each of the newest days, weeks and months that have one.

    Days are London's, weeks begin on Monday. Days without a backup do not count, so that a portal that was
    off for a month does not lose its old backups with the first new one. The newest is always kept.

    Args:
        moments: When each backup was made, in any order.
        kept: How many days, weeks and months; at least one day.
    """
    newest_first = sorted(moments, reverse=True)
    spans: tuple[tuple[int, Callable[[date], object]], ...] = (
        (kept.days, lambda day: day),
        (kept.weeks, lambda day: day.isocalendar()[:2]),
        (kept.months, lambda day: (day.year, day.month)),
    )
    chosen: set[datetime] = set()
    for count, span_of in spans:
        newest_of_span: dict[object, datetime] = {}
        for moment in newest_first:
            newest_of_span.setdefault(span_of(moment.astimezone(LONDON).date()), moment)
        chosen.update(list(newest_of_span.values())[:count])
    return chosen
