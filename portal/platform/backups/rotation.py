"""When a backup is due, and which of those made before are kept."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from portal.platform.backups.settings import Kept
from portal.platform.clock import LONDON

ALL_KEPT = timedelta(days=2)  # one made by hand after an accident must not remove the one from before it


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


def choose_kept(moments: Sequence[datetime], kept: Kept, now: datetime) -> set[datetime]:
    """Which backups are kept: the newest of each of the newest days, weeks and months that have one.

    All of the last two days are kept too.

    Days are London's, weeks begin on Monday. Days without a backup do not count, so that a portal that was
    off for a month does not lose its old backups with the first new one. The newest is always kept.

    Args:
        moments: When each backup was made, in any order.
        kept: How many days, weeks and months; at least one day.
        now: This instant.
    """
    newest_first = sorted(moments, reverse=True)
    spans: tuple[tuple[int, Callable[[date], object]], ...] = (
        (kept.days, lambda day: day),
        (kept.weeks, lambda day: day.isocalendar()[:2]),
        (kept.months, lambda day: (day.year, day.month)),
    )
    chosen = {moment for moment in moments if now - moment < ALL_KEPT}
    for count, span_of in spans:
        newest_of_span: dict[object, datetime] = {}
        for moment in newest_first:
            newest_of_span.setdefault(span_of(moment.astimezone(LONDON).date()), moment)
        chosen.update(list(newest_of_span.values())[:count])
    return chosen
