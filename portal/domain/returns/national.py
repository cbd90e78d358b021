"""The figures of all forces: month by month, with small numbers hidden; pages and files read them here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
from portal.domain.returns.suppression import Counts, ShownCounts, ShownTable, protect_counts
from portal.platform.db import db
from portal.platform.signing.documents import read_document

NOTHING = ShownCounts()


@dataclass(frozen=True, slots=True)
class NationalMonth:
    """One month of all forces.

    Attributes:
        period: The month.
        receipts: What came, by the id of the force.
        table: The figures of what counts, by the id of the force.
    """

    period: AskedPeriod
    receipts: Mapping[int, Receipt]
    table: ShownTable[int]

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
    counts = read_counts(return_ids, requirement)
    made = [
        NationalMonth(asked, receipts[asked.period], protect_receipts(receipts[asked.period], counts, small))
        for asked in shown
    ]
    return NationalFigures(book, requirement, small, made)


def protect_receipts(
    receipts: Mapping[int, Receipt], counts: Mapping[int, Counts], small: int
) -> ShownTable[int]:
    """The shown figures of what counts of each force."""
    shown = {
        force: counts.get(receipt.current.return_id) for force, receipt in receipts.items() if receipt.current
    }
    return protect_counts({force: each for force, each in shown.items() if each}, small)


def read_counts(return_ids: Iterable[int], requirement: str) -> dict[int, Counts]:
    """The counts of whole forces under a requirement, by the id of the return. One statement."""
    columns = (ReturnFigure.assigned, ReturnFigure.excluded, ReturnFigure.complete)
    statement = select(ReturnFigure.force_return_id, *columns).where(
        ReturnFigure.force_return_id.in_(list(return_ids)),
        ReturnFigure.grouping == FORCE,
        ReturnFigure.requirement == requirement,
    )
    return {return_id: Counts(*numbers) for return_id, *numbers in db.session.execute(statement)}


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The figures of all forces together by role or by rank.

    Attributes:
        table: By the name of the role or rank.
        forces: How many forces are in it.
        left_out: How many forces hid numbers of their roles or ranks, and so are in no sum.
    """

    table: ShownTable[str]
    forces: int
    left_out: int


def read_groups(month: NationalMonth, grouping: str, requirement: str, small: int) -> GroupFigures:
    """The figures of a month by role or by rank. One statement.

    A force that hid any of its numbers is left out whole: what is shown of the others says nothing of it.
    """
    return_ids = {receipt.current.return_id for receipt in month.receipts.values() if receipt.current}
    statement = (
        select(
            ReturnFigure.force_return_id,
            ReturnFigure.group_name,
            ReturnFigure.assigned,
            ReturnFigure.excluded,
            ReturnFigure.complete,
        )
        .where(
            ReturnFigure.force_return_id.in_(return_ids),
            ReturnFigure.grouping == grouping,
            ReturnFigure.requirement == requirement,
        )
        .order_by(ReturnFigure.group_name)
    )
    rows = db.session.execute(statement).all()
    hidden = {row.force_return_id for row in rows if None in (row.assigned, row.excluded, row.complete)}
    sums: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        if row.force_return_id not in hidden:
            before = sums.get(row.group_name, (0, 0, 0))
            sums[row.group_name] = (
                before[0] + row.assigned,
                before[1] + row.excluded,
                before[2] + row.complete,
            )
    groups = {name: Counts(*numbers) for name, numbers in sums.items()}
    counted = {row.force_return_id for row in rows} - hidden
    return GroupFigures(protect_counts(groups, small), len(counted), len(hidden))


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
