"""Reads of dip samples as known at a position, and the shares that follow from them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import select

from portal.domain.dip_samples.measures import MEASURES, SampleCounts, SampleEntry
from portal.domain.dip_samples.models import COUNTS, DipSample
from portal.domain.dip_samples.statistics import Interval, wilson_interval
from portal.domain.people.as_of import is_known_fact
from portal.platform.db import db


class SamplePosition(Protocol):
    """As at which day, as known on which instant: a report's position."""

    @property
    def as_at(self) -> date:
        """A London day."""

    @property
    def as_known_on(self) -> datetime:
        """An instant."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """A share of documents, with the months, samples and units that it is counted from."""

    measure: str  # a key of ``MEASURES``
    reached: int
    total: int
    months: tuple[date, ...]  # asked for, by their first days
    samples: int  # how many rows, of one unit and month each, were added up
    units: int  # how many units they are of

    @property
    def interval(self) -> Interval:
        """Where the share of many such documents would lie, in 95 of 100 cases."""
        return wilson_interval(self.reached, self.total)


def counts_of(sample: DipSample) -> SampleCounts:
    """The seven counts of a row."""
    return SampleCounts(**{name: getattr(sample, name) for name in COUNTS})


def entry_of(sample: DipSample) -> SampleEntry:
    """A row as the entry that made it."""
    return SampleEntry(sample.unit_id, sample.month, counts_of(sample), sample.reason)


def list_samples(
    position: SamplePosition, months: Collection[date], unit_ids: Collection[int] | None = None
) -> list[DipSample]:
    """The samples known at a position, by month and unit. One statement.

    A month counts from its first day on.

    Args:
        position: As at which day, as known on which instant.
        months: The first days of months.
        unit_ids: Of these units alone, without those below them; None: of every unit.
    """
    begun_months = sorted(month for month in months if month <= position.as_at)
    statement = select(DipSample).where(
        is_known_fact(DipSample, position.as_known_on), DipSample.month.in_(begun_months)
    )
    if unit_ids is not None:
        statement = statement.where(DipSample.unit_id.in_(sorted(unit_ids)))
    return list(db.session.scalars(statement.order_by(DipSample.month, DipSample.unit_id)))


def read_sample_facts(months: Collection[date]) -> list[DipSample]:
    """All rows of some months, with those that were replaced or withdrawn. One statement."""
    return list(db.session.scalars(select(DipSample).where(DipSample.month.in_(sorted(months)))))


def sum_samples(measure: str, months: Sequence[date], samples: Iterable[DipSample]) -> SampleRatio:
    """Add up samples and give the share of a measure.

    Args:
        measure: A key of ``MEASURES``.
        months: The first days of the months asked for.
        samples: Of these months.
    """
    definition, rows = MEASURES[measure], list(samples)
    return SampleRatio(
        measure=measure,
        reached=sum(getattr(row, definition.reached) for row in rows),
        total=sum(getattr(row, definition.total) for row in rows),
        months=tuple(months),
        samples=len(rows),
        units=len({row.unit_id for row in rows}),
    )


def group_by_unit(samples: Iterable[DipSample]) -> dict[int, list[DipSample]]:
    """The samples of each unit."""
    grouped: dict[int, list[DipSample]] = defaultdict(list)
    for sample in samples:
        grouped[sample.unit_id].append(sample)
    return dict(grouped)


def find_sample(unit_id: int, month: date, known_at: datetime | None = None) -> DipSample | None:
    """The sample of a unit and a month that is known, by default now; None: there is none."""
    return db.session.scalar(
        select(DipSample).where(
            is_known_fact(DipSample, known_at), DipSample.unit_id == unit_id, DipSample.month == month
        )
    )


def list_history(unit_id: int, month: date, known_at: datetime) -> list[DipSample]:
    """All that was recorded of a unit and a month by an instant, the latest first."""
    statement = select(DipSample).where(
        DipSample.unit_id == unit_id, DipSample.month == month, DipSample.recorded_at <= known_at
    )
    return list(db.session.scalars(statement.order_by(DipSample.recorded_at.desc(), DipSample.id.desc())))
