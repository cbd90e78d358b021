"""Reads of dip samples as known at a position, and the shares that follow from them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import func, select

from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.units import read_tree
from portal.domain.people.visibility import Viewer, is_granted_to, is_valid_on
from portal.domain.reports.funnels import Interval, wilson_interval
from portal.features.dip_samples.feature import RECORD, VIEW
from portal.features.dip_samples.models import COUNTS, DipSample
from portal.features.dip_samples.rules import MEASURES, SampleCounts, SampleEntry
from portal.platform import clock
from portal.platform.db import db
from portal.platform.months import list_full_months
from portal.platform.permissions import Permission, Role, roles_with


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


# The table of samples by unit and month, with months that are missing.


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


# The units whose samples a viewer may see, and those for which a supervisor may record them.
#
# A grant on a unit counts for it and all units below; a manager's grant without a unit, or line
# management by the roster where the force chooses it, counts for the units of the direct reports.


def list_recordable_units(viewer: Viewer) -> dict[int, str]:
    """The units of today for which a viewer may record samples: their labels by id, in order of paths."""
    units = live_units(clock.today())
    allowed_ids = _allowed_unit_ids(viewer, RECORD, units)
    recordable = (
        (row.path, unit_id, row.label)
        for unit_id, row in units.items()
        if allowed_ids is None or unit_id in allowed_ids
    )
    return {unit_id: label for _, unit_id, label in sorted(recordable)}


def list_viewable_units(viewer: Viewer, position: SamplePosition) -> dict[int, str]:
    """The units whose samples a viewer may see, with the labels of a position, in order of paths.

    Whoever sees the whole force sees units that are closed as well: their samples count.
    """
    allowed_ids = _allowed_unit_ids(viewer, VIEW, live_units(clock.today()))
    tree = read_tree(position.as_known_on)
    known_ids = set(tree.unit_ids())
    viewable_ids = known_ids if allowed_ids is None else allowed_ids & known_ids
    paths = sorted((tree.last_path_on(unit_id, position.as_at), unit_id) for unit_id in viewable_ids)
    return {unit_id: tree.last_label_on(unit_id, position.as_at) for _, unit_id in paths}


def _allowed_unit_ids(viewer: Viewer, permission: Permission, units: dict[int, UnitRow]) -> set[int] | None:
    """The ids of the units for which a viewer has a permission; None: every unit."""
    if permission not in viewer.permissions:
        return set()
    if viewer.is_system:
        return None if viewer.only_unit_id is None else _with_units_below({viewer.only_unit_id}, units)
    roles = sorted(roles_with(permission))
    granted = db.session.execute(
        select(RoleGrant.role, RoleGrant.unit_id).where(
            is_granted_to(viewer.person_id, clock.today()), RoleGrant.role.in_(roles)
        )
    ).all()
    everywhere = {role for role, unit_id in granted if unit_id is None}
    if everywhere - {Role.MANAGER}:
        return None
    allowed_ids = _with_units_below({unit_id for _, unit_id in granted if unit_id is not None}, units)
    if Role.MANAGER in everywhere or (viewer.line_manager and Role.MANAGER in roles):
        allowed_ids |= _units_of_reports(viewer.person_id)
    return allowed_ids


def _with_units_below(granted: set[int], units: dict[int, UnitRow]) -> set[int]:
    """The granted units and all below them."""
    children: dict[int | None, list[int]] = {}
    for child, unit in units.items():
        children.setdefault(unit.parent_id, []).append(child)
    unit_ids, unvisited = set[int](), list(granted)
    while unvisited:
        unit_id = unvisited.pop()
        if unit_id not in unit_ids:
            unit_ids.add(unit_id)
            unvisited += children.get(unit_id, [])
    return unit_ids


def _units_of_reports(person_id: int) -> set[int]:
    """The units in which somebody has a post of today that names this line manager."""
    statement = select(Post.unit_id).where(
        Post.line_manager_id == person_id,
        Post.person_id != person_id,
        is_known_fact(Post),
        is_valid_on(Post, clock.today()),
    )
    return set(db.session.scalars(statement))
