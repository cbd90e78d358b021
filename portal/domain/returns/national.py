"""The figures of all forces: month by month, with small numbers hidden; pages and files read them here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.domain.returns.content import FORCE, WHOLE_DIRECTIVE, ReturnContent
from portal.domain.returns.models import ForceReturn, ReturnFigure
from portal.domain.returns.receipts import (
    AskedPeriod,
    NationalForce,
    Receipt,
    ReceiptBook,
    read_receipts,
)
from portal.domain.returns.suppression import Counts, ShownCounts, ShownTable, protect_together
from portal.platform.db import db
from portal.platform.signing.documents import read_document

NOTHING = ShownCounts()
EMPTY: ShownTable[Any] = ShownTable({}, None, frozenset())
RequirementCounts = Mapping[str, Mapping[int, Counts]]  # by requirement and id of the return


@dataclass(frozen=True, slots=True)
class NationalMonth:
    """One month of all forces.

    Attributes:
        period: The month.
        receipts: What came, by the id of the force.
        tables: The figures of what counts, by requirement and the id of the force.
        requirement: The one that the page is about.
    """

    period: AskedPeriod
    receipts: Mapping[int, Receipt]
    tables: Mapping[str, ShownTable[int]]
    requirement: str

    @property
    def table(self) -> ShownTable[int]:
        """The figures under the requirement, by the id of the force."""
        return self.tables.get(self.requirement, EMPTY)

    def shown(self, force: NationalForce) -> ShownCounts:
        """The figures of a force; nothing where none came."""
        return self.table.rows.get(force.id, NOTHING)

    @property
    def returned(self) -> int:
        """How many forces have sent a return."""
        return sum(receipt.current is not None for receipt in self.receipts.values())

    @property
    def asked(self) -> int:
        """How many forces were asked for one, or sent one unasked."""
        return sum(receipt.state != "not_asked" for receipt in self.receipts.values())

    @property
    def share(self) -> Share | None:
        """The people complete of all forces that are in the total."""
        return self.table.total.share if self.table.total else None


@dataclass(frozen=True, slots=True)
class NationalFigures:
    """Several months of all forces under one requirement, the earliest first.

    Attributes:
        book: What has come at the position.
        requirement: Kind and key; WHOLE_DIRECTIVE for all of it.
        small: Numbers below it are hidden.
        months: At least one, unless nothing was ever asked for.
    """

    book: ReceiptBook
    requirement: str
    small: int
    months: Sequence[NationalMonth]

    @property
    def position(self) -> Position:
        """As at which day, as known on which instant."""
        return self.book.position

    @property
    def forces(self) -> Sequence[NationalForce]:
        """The forces, by name."""
        return self.book.forces

    @property
    def newest(self) -> NationalMonth:
        """The month that the page is about."""
        return self.months[-1]

    @property
    def before(self) -> NationalMonth | None:
        """The month before it."""
        return self.months[-2] if len(self.months) > 1 else None


def read_national(
    position: Position, small: int, *, period: str = "", requirement: str = WHOLE_DIRECTIVE, months: int = 12
) -> NationalFigures:
    """The figures of all forces up to a month. Five statements, however many forces and months.

    Args:
        position: As at which day, as known on which instant.
        small: Numbers below it are hidden.
        period: The last month; "" for the latest of which a return has come.
        requirement: Kind and key, or WHOLE_DIRECTIVE.
        months: At most so many months.
    """
    return read_months(read_receipts(position), small, period=period, requirement=requirement, months=months)


def read_months(
    book: ReceiptBook, small: int, *, period: str = "", requirement: str = WHOLE_DIRECTIVE, months: int = 12
) -> NationalFigures:
    """As ``read_national``, where it has been read what came. One statement."""
    last = book.find_period(period) if period else book.newest
    shown = book.up_to(last, months) if last else []
    receipts = {asked.period: book.receipts(asked) for asked in shown}
    return_ids = [
        receipt.current.return_id for of in receipts.values() for receipt in of.values() if receipt.current
    ]
    counts = read_counts(return_ids)
    national = [
        NationalMonth(asked, came, protect_receipts(came, counts, small), requirement)
        for asked, came in zip(shown, receipts.values(), strict=True)
    ]
    return NationalFigures(book, requirement, small, national)


def protect_receipts(
    receipts: Mapping[int, Receipt], counts: RequirementCounts, small: int
) -> dict[str, ShownTable[int]]:
    """The shown figures of what counts of each force, by requirement."""
    return_ids = {force: receipt.current.return_id for force, receipt in receipts.items() if receipt.current}
    tables = {
        requirement: {force: numbers[made] for force, made in return_ids.items() if made in numbers}
        for requirement, numbers in counts.items()
    }
    return protect_together({key: table for key, table in tables.items() if table}, small)


def read_counts(return_ids: Iterable[int]) -> dict[str, dict[int, Counts]]:
    """The counts of whole forces, by requirement and the id of the return. One statement."""
    columns = (ReturnFigure.assigned, ReturnFigure.excluded, ReturnFigure.complete)
    statement = select(ReturnFigure.requirement, ReturnFigure.force_return_id, *columns).where(
        ReturnFigure.force_return_id.in_(list(return_ids)), ReturnFigure.grouping == FORCE
    )
    found: dict[str, dict[int, Counts]] = defaultdict(dict)
    for requirement, return_id, *numbers in db.session.execute(statement):
        found[requirement][return_id] = Counts(*numbers)
    return found


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The figures of all forces together by role or by rank.

    Attributes:
        table: By the name of the role or rank.
        forces: How many forces are in it.
        left_out: How many forces of the total hid numbers of their roles or ranks, and so are in no sum.
    """

    table: ShownTable[str]
    forces: int
    left_out: int


def read_groups(month: NationalMonth, grouping: str, small: int) -> GroupFigures:
    """The figures of a month by role or by rank. One statement.

    A force that hid any of its numbers is left out whole: what is shown of the others says nothing of it. Its
    own numbers are the difference of the totals, so nothing is shown where one of those is hidden.
    """
    force_of = {
        receipt.current.return_id: force for force, receipt in month.receipts.items() if receipt.current
    }
    columns = (ReturnFigure.assigned, ReturnFigure.excluded, ReturnFigure.complete)
    statement = (
        select(ReturnFigure.requirement, ReturnFigure.force_return_id, ReturnFigure.group_name, *columns)
        .where(ReturnFigure.force_return_id.in_(force_of), ReturnFigure.grouping == grouping)
        .order_by(ReturnFigure.group_name)
    )
    groups: dict[str, dict[int, dict[str, Counts]]] = defaultdict(lambda: defaultdict(dict))
    for requirement, return_id, name, *numbers in db.session.execute(statement):
        groups[requirement][force_of[return_id]][name] = Counts(*numbers)
    names = {name for of in groups.values() for force in of.values() for name in force}
    full = {key: _choose_full(of, month.tables.get(key, EMPTY)) for key, of in groups.items()}
    tables = {
        key: _sum_groups(of, sorted(names))
        for key, of in full.items()
        for table in [month.tables.get(key, EMPTY)]
        if all(map(table.shows, table.groups - set(of)))
    }
    shown = protect_together(tables, small).get(month.requirement, EMPTY)
    counted = full.get(month.requirement, {})
    return GroupFigures(shown, len(counted), month.table.summed - len(counted))


def _choose_full(
    forces: Mapping[int, Mapping[str, Counts]], table: ShownTable[int]
) -> dict[int, Mapping[str, Counts]]:
    """The forces of a total that hid no number of their groups."""
    return {
        force: groups
        for force, groups in forces.items()
        if force in table.groups and not any(each.hides for each in groups.values())
    }


def _sum_groups(forces: Mapping[int, Mapping[str, Counts]], names: Sequence[str]) -> dict[str, Counts]:
    """The groups of all forces together; one that nobody is in has nobody."""
    sums = dict.fromkeys(names, Counts(0, 0, 0))
    for groups in forces.values():
        for name, counts in groups.items():
            sums[name] += counts
    return sums


def list_requirements(month: NationalMonth) -> list[str]:
    """The requirements of which a month has figures, the whole directive first. One statement."""
    return_ids = {receipt.current.return_id for receipt in month.receipts.values() if receipt.current}
    statement = select(ReturnFigure.requirement).distinct()
    statement = statement.where(ReturnFigure.force_return_id.in_(return_ids), ReturnFigure.grouping == FORCE)
    return sorted(db.session.scalars(statement))


def name_requirements(month: NationalMonth) -> dict[str, str]:
    """The titles of requirements as the latest return of a month has them. One statement."""
    return_ids = [receipt.current.return_id for receipt in month.receipts.values() if receipt.current]
    latest = (
        select(ForceReturn.content)
        .where(ForceReturn.id.in_(return_ids))
        .order_by(ForceReturn.id.desc())
        .limit(1)
    )
    content = db.session.scalar(latest)
    return dict(ReturnContent.from_document(read_document(content)).requirements) if content else {}
