"""The trend of imports: rows, changes and refused rows, by profile and day."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.imports.models import ImportRun
from portal.platform import clock
from portal.platform.db import db
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

DAYS = 30
MOST_RUNS = 5_000  # of the newest that are looked at
# What is counted once for each thing that was written; other labels say the same in other words.
_CHANGES = ("Recorded", "New posts", "Corrected posts", "Withdrawn posts", "Corrected names")


class DayFigures(NamedTuple):
    """What the files of a profile did on one day."""

    files: int = 0
    rows: int = 0
    changes: int = 0  # written
    refused: int = 0  # bad rows of files that were not applied

    def combine_with(self, other: "DayFigures") -> "DayFigures":
        """Both together."""
        return DayFigures(*(one + another for one, another in zip(self, other, strict=True)))


@dataclass(slots=True)
class ProfileTrend:
    """The days of one profile, from the first of the trend to the last."""

    kind: str
    profile: str | None  # None: none, or the portal's own format
    first: date
    days: dict[date, DayFigures] = field(default_factory=dict)  # of days with a file, newest first

    @property
    def total(self) -> DayFigures:
        """All days together."""
        total = DayFigures()
        for figures in self.days.values():
            total = total.combine_with(figures)
        return total

    @property
    def bar_places(self) -> list[tuple[float, float]]:
        """Of each day with changes, how far from the left it is and how high, in per cent."""
        most = max((figures.changes for figures in self.days.values()), default=0)
        return [
            (100 * (day - self.first).days / DAYS, 100 * figures.changes / most)
            for day, figures in sorted(self.days.items())
            if figures.changes
        ]

    @property
    def bar_words(self) -> str:
        """What the bars show."""
        changed = [(figures.changes, day) for day, figures in self.days.items() if figures.changes]
        if not changed:
            return "No changes."
        most, day = max(changed)
        return f"Changes on {plural(len(changed), 'day')}; most, {most:,}, on {day_words(day)}."


def list_trends(kinds: list[str], today: date) -> list[ProfileTrend]:
    """The trend of each profile that had a file within `DAYS` days, by kind and name. One statement."""
    first = today - timedelta(days=DAYS - 1)
    begins = datetime.combine(first, time(), clock.LONDON)
    columns = (ImportRun.kind, ImportRun.profile, ImportRun.began_at, ImportRun.rows, ImportRun.numbers)
    statement = (
        select(*columns, ImportRun.bad_rows, ImportRun.ended_as)
        .where(ImportRun.kind.in_(kinds), ImportRun.began_at >= begins)
        .order_by(ImportRun.began_at.desc())
        .limit(MOST_RUNS)
    )
    figures: dict[tuple[str, str | None], dict[date, DayFigures]] = defaultdict(dict)
    for kind, profile, began_at, rows, numbers, bad_rows, ended_as in db.session.execute(statement):
        days, day = figures[kind, profile], clock.london_day(began_at)
        changes = _count_changes(numbers or {}) if ended_as == "applied" else 0
        days[day] = days.get(day, DayFigures()).combine_with(DayFigures(1, rows, changes, bad_rows or 0))
    return [
        ProfileTrend(kind, profile, first, days)
        for (kind, profile), days in sorted(figures.items(), key=_kind_and_name)
    ]


def _count_changes(numbers: Mapping[str, int]) -> int:
    return sum(numbers.get(label, 0) for label in _CHANGES)


def _kind_and_name(item: tuple[tuple[str, str | None], object]) -> tuple[str, str]:
    (kind, profile), _ = item
    return kind, profile or ""
