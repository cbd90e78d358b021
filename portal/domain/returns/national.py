"""The figures of all forces by month, with numbers rounded, for pages and files."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from config import current_settings
from portal.domain.reports.packs.foi_tables import FRAMES
from portal.domain.reports.packs.rounding import Rounding
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
from portal.domain.returns.shown_counts import (
    Counts,
    ShownCounts,
    ShownTable,
    add_parts,
    round_groups,
    round_return,
)
from portal.platform.db import db
from portal.platform.signing.documents import read_document

NOTHING = ShownCounts()
EMPTY: ShownTable[Any] = ShownTable({})
ReturnCounts = Mapping[int, Mapping[str, Counts]]  # by id of the return and requirement


@dataclass(frozen=True, slots=True)
class NationalMonth:
    """One month of all forces.

    Attributes:
        period: The month.
        receipts: By the id of the force.
        tables: The figures of the returns that count, by requirement and the id of the force.
        requirement: That of the page.
    """

    period: AskedPeriod
    receipts: Mapping[int, Receipt]
    tables: Mapping[str, ShownTable[int]]
    requirement: str

    @property
    def table(self) -> ShownTable[int]:
        """The figures of the requirement, by the id of the force."""
        return self.tables.get(self.requirement, EMPTY)

    def figures_of(self, force: NationalForce) -> ShownCounts:
        """The figures of a force; all None where no return came."""
        return self.table.rows.get(force.id, NOTHING)

    @property
    def returned_count(self) -> int:
        """Number of forces that sent a return."""
        return sum(receipt.current is not None for receipt in self.receipts.values())

    @property
    def asked_count(self) -> int:
        """Number of forces that were asked for a return, or sent one unasked."""
        return sum(receipt.state != "not_asked" for receipt in self.receipts.values())

    @property
    def share(self) -> Share | None:
        """The share of people complete, of all forces in the total."""
        return self.table.total.share if self.table.total else None


@dataclass(frozen=True, slots=True)
class NationalFigures:
    """Several months of all forces for one requirement.

    Attributes:
        book: The returns received at the position.
        requirement: Kind and key; WHOLE_DIRECTIVE for all of it.
        small: Numbers are rounded to multiples of it.
        months: The earliest first; empty only if no return was ever asked for.
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
    def newest_month(self) -> NationalMonth:
        """The last month, which the page is about."""
        return self.months[-1]

    @property
    def previous_month(self) -> NationalMonth | None:
        """The month before the newest; None: there is none."""
        return self.months[-2] if len(self.months) > 1 else None


def read_national(
    position: Position, small: int, *, period: str = "", requirement: str = WHOLE_DIRECTIVE, months: int = 12
) -> NationalFigures:
    """Read the figures of all forces up to a month. Five statements, however many forces and months.

    Args:
        position: As at which day, as known on which instant.
        small: Numbers are rounded to multiples of it.
        period: The last month; "" for the latest of which a return has come.
        requirement: Kind and key, or WHOLE_DIRECTIVE.
        months: At most so many months.
    """
    return read_months(read_receipts(position), small, period=period, requirement=requirement, months=months)


def read_months(
    book: ReceiptBook, small: int, *, period: str = "", requirement: str = WHOLE_DIRECTIVE, months: int = 12
) -> NationalFigures:
    """Read the same as ``read_national`` from receipts that were read already. One statement."""
    last_period = book.find_period(period) if period else book.newest_period
    periods = book.list_periods_up_to(last_period, months) if last_period else []
    receipts = {asked_period.period: book.receipts_for(asked_period) for asked_period in periods}
    return_ids = [
        receipt.current.return_id
        for by_force in receipts.values()
        for receipt in by_force.values()
        if receipt.current
    ]
    counts = read_counts(return_ids)
    national = [
        NationalMonth(asked_period, by_force, round_receipts(by_force, counts, small), requirement)
        for asked_period, by_force in zip(periods, receipts.values(), strict=True)
    ]
    return NationalFigures(book, requirement, small, national)


def round_receipts(
    receipts: Mapping[int, Receipt], counts: ReturnCounts, small: int
) -> dict[str, ShownTable[int]]:
    """Round the figures of the return that counts of each force; by requirement."""
    rows: dict[str, dict[int, ShownCounts]] = defaultdict(dict)
    for force, receipt in receipts.items():
        if receipt.current:
            shown = round_return(counts[receipt.current.return_id], rounding_of(force, small))
            for requirement, row in shown.items():
                rows[requirement][force] = row
    return {requirement: ShownTable(by_force) for requirement, by_force in rows.items()}


def rounding_of(force: int, small: int) -> Rounding:
    """How the numbers of a force are rounded: the same number alike in each month."""
    return Rounding.of_subject(small, current_settings().secret_key, f"force {force}")


def read_counts(return_ids: Iterable[int]) -> ReturnCounts:
    """The counts of whole forces, by the id of the return and the requirement. One statement."""
    columns = (ReturnFigure.assigned, ReturnFigure.excluded, ReturnFigure.complete)
    statement = (
        select(ReturnFigure.force_return_id, ReturnFigure.requirement, *columns)
        .where(ReturnFigure.force_return_id.in_(list(return_ids)), ReturnFigure.grouping == FORCE)
        .order_by(ReturnFigure.requirement)
    )
    counts: dict[int, dict[str, Counts]] = defaultdict(dict)
    for return_id, requirement, *numbers in db.session.execute(statement):
        counts[return_id][requirement] = Counts(*numbers)
    return counts


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The figures of all forces together by role or by rank.

    Attributes:
        table: By the name of the role or rank.
        forces: Number of forces in it.
        left_out: Number of forces in the total that hid numbers of their roles or ranks: they are not summed.
    """

    table: ShownTable[str]
    forces: int
    left_out: int


def read_groups(month: NationalMonth, grouping: str, small: int) -> GroupFigures:
    """Read the figures of a month by role or by rank, of the whole directive. One statement.

    A force that hid any number of its groups is left out.
    """
    whole = month.tables.get(WHOLE_DIRECTIVE, EMPTY)
    force_of = {
        receipt.current.return_id: force
        for force, receipt in month.receipts.items()
        if receipt.current and force in whole.groups
    }
    columns = (ReturnFigure.assigned, ReturnFigure.excluded, ReturnFigure.complete)
    statement = (
        select(ReturnFigure.force_return_id, ReturnFigure.group_name, *columns)
        .where(
            ReturnFigure.force_return_id.in_(force_of),
            ReturnFigure.grouping == grouping,
            ReturnFigure.requirement == WHOLE_DIRECTIVE,
        )
        .order_by(ReturnFigure.group_name)
    )
    groups: dict[int, dict[str, Counts]] = defaultdict(dict)
    for return_id, name, *numbers in db.session.execute(statement):
        groups[force_of[return_id]][name] = Counts(*numbers)
    other = next(frame.other for frame in FRAMES if frame.part == grouping)
    tables = [
        rows
        for force, by_name in groups.items()
        if (rows := round_groups(by_name, whole.rows[force], other, rounding_of(force, small)))
    ]
    names = sorted({name for rows in tables for name in rows}, key=lambda name: (name == other, name))
    shown = {name: ShownCounts(add_parts(rows[name] for rows in tables if name in rows)) for name in names}
    return GroupFigures(ShownTable(shown), len(tables), whole.group_count - len(tables))


def list_requirements(month: NationalMonth) -> list[str]:
    """List the requirements for which a month has figures, the whole directive first. One statement."""
    return_ids = {receipt.current.return_id for receipt in month.receipts.values() if receipt.current}
    statement = select(ReturnFigure.requirement).distinct()
    statement = statement.where(ReturnFigure.force_return_id.in_(return_ids), ReturnFigure.grouping == FORCE)
    return sorted(db.session.scalars(statement))


def name_requirements(month: NationalMonth) -> dict[str, str]:
    """Read the titles of requirements from the latest return of a month. One statement."""
    return_ids = [receipt.current.return_id for receipt in month.receipts.values() if receipt.current]
    latest = (
        select(ForceReturn.content)
        .where(ForceReturn.id.in_(return_ids))
        .order_by(ForceReturn.id.desc())
        .limit(1)
    )
    content = db.session.scalar(latest)
    return dict(ReturnContent.from_document(read_document(content)).requirements) if content else {}
