"""The table of samples by unit and month, with months that are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from portal.domain.dip_samples.models import DipSample
from portal.domain.dip_samples.queries import (
    SamplePosition,
    SampleRatio,
    group_by_unit,
    list_samples,
    sum_samples,
)
from portal.domain.people.as_of import is_known_fact
from portal.platform.db import db
from portal.platform.months import list_full_months


@dataclass(frozen=True, slots=True)
class MonthCell:
    """The sample of one unit in one month."""

    month: date
    ratio: SampleRatio | None  # None: nothing is recorded
    is_missing: bool  # the month is over, the unit recorded an earlier one, and nothing is recorded


@dataclass(frozen=True, slots=True)
class SampleLine:
    """The samples of one unit by month, and their sum."""

    unit_id: int
    label: str
    cells: tuple[MonthCell, ...]
    ratio: SampleRatio

    @property
    def missing_months(self) -> int:
        """Number of months whose sample is missing."""
        return sum(cell.is_missing for cell in self.cells)


@dataclass(frozen=True, slots=True)
class SampleTable:
    """The units that have ever recorded a sample, with their months; and those that have not."""

    measure: str
    months: tuple[date, ...]
    lines: tuple[SampleLine, ...]
    totals: tuple[SampleRatio, ...]  # of all these units, by month
    ratio: SampleRatio
    units_without_samples: Mapping[int, str]  # their labels by id

    @property
    def missing_samples(self) -> int:
        """Number of missing samples of all units."""
        return sum(line.missing_months for line in self.lines)


def read_sample_table(
    measure: str, months: Sequence[date], units: Mapping[int, str], position: SamplePosition
) -> SampleTable:
    """Read the samples of units and months at a position. Two statements.

    A unit is expected to record every month from its first sample on.

    Args:
        measure: A key of ``MEASURES``.
        months: The first days of months, the earliest first.
        units: Labels by id, in order.
        position: As at which day, as known on which instant.
    """
    first_months = _first_months(position)
    samples = list_samples(position, months, units)
    past_months = set(list_full_months(len(months), position.as_at))
    by_unit = group_by_unit(samples)
    lines = tuple(
        _make_line(
            measure, months, unit_id, label, by_unit.get(unit_id, []), first_months[unit_id], past_months
        )
        for unit_id, label in units.items()
        if unit_id in first_months
    )
    return SampleTable(
        measure=measure,
        months=tuple(months),
        lines=lines,
        totals=tuple(
            sum_samples(measure, [month], [row for row in samples if row.month == month]) for month in months
        ),
        ratio=sum_samples(measure, months, samples),
        units_without_samples={
            unit_id: label for unit_id, label in units.items() if unit_id not in first_months
        },
    )


def _make_line(
    measure: str,
    months: Sequence[date],
    unit_id: int,
    label: str,
    samples: Sequence[DipSample],
    first_month: date,
    past_months: set[date],
) -> SampleLine:
    sample_by_month = {row.month: row for row in samples}
    cells = (
        MonthCell(
            month,
            sum_samples(measure, [month], [sample_by_month[month]]) if month in sample_by_month else None,
            month not in sample_by_month and month in past_months and month > first_month,
        )
        for month in months
    )
    return SampleLine(unit_id, label, tuple(cells), sum_samples(measure, months, samples))


def _first_months(position: SamplePosition) -> dict[int, date]:
    """The month of each unit's first sample."""
    statement = (
        select(DipSample.unit_id, func.min(DipSample.month))
        .where(is_known_fact(DipSample, position.as_known_on), DipSample.month <= position.as_at)
        .group_by(DipSample.unit_id)
    )
    return {unit_id: month for unit_id, month in db.session.execute(statement)}
