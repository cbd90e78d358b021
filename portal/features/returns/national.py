"""The figures of all forces by month, with numbers rounded, for pages and files."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Generic, TypeVar

from sqlalchemy import select

from config import current_settings
from portal.domain.reports.charts import Dot, LineChart, Point
from portal.domain.reports.foi import FRAMES, Rounding, Row
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.features.returns.content import DEFINITIONS, FORCE, WHOLE_DIRECTIVE, ReturnContent, last_day_of
from portal.features.returns.models import ForceReturn, ReturnFigure
from portal.features.returns.queries import AskedPeriod, NationalForce, Receipt, ReceiptBook, read_receipts
from portal.platform.clock import format_utc
from portal.platform.db import db
from portal.platform.signing.documents import read_document
from portal.platform.tables.columns import disarm_formula

# Rounds the numbers of each return as FOI packs are rounded, and adds up what is shown of all forces.
# Pure.
#
# Each return is rounded by itself, and every sum is of rounded numbers. So all that is shown could itself
# be what the forces sent, and would then be shown unchanged: see ``rounding``.

Key = TypeVar("Key", int, str)
Parts = tuple[int, int, int]  # people complete, not complete and excluded
BY_FORCE = "force"  # the force hid numbers in its own return
BY_US = "small"  # fewer people than twice the base


@dataclass(frozen=True, slots=True)
class Counts:
    """People of a group: assigned, of them excluded, and of the others complete; None: hidden."""

    assigned: int | None
    excluded: int | None
    complete: int | None

    @property
    def parts(self) -> Parts | None:
        """Complete, not complete and excluded; None where a number is hidden."""
        if self.assigned is None or self.excluded is None or self.complete is None:
            return None
        return self.complete, self.assigned - self.excluded - self.complete, self.excluded


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Rounded counts as a page or a file shows them.

    Attributes:
        parts: People complete, not complete and excluded; None: hidden, or no return came.
        hidden: Who hid a number: BY_FORCE or BY_US; "" where none is hidden.
    """

    parts: Parts | None = None
    hidden: str = ""

    @property
    def assigned(self) -> int | None:
        """Everybody to whom the directive applied."""
        return sum(self.parts) if self.parts else None

    @property
    def excluded(self) -> int | None:
        """Of them, those exempt or deferred."""
        return self.parts[2] if self.parts else None

    @property
    def complete(self) -> int | None:
        """Of the others, those complete."""
        return self.parts[0] if self.parts else None

    @property
    def not_complete(self) -> int | None:
        """Of the others, those not complete."""
        return self.parts[1] if self.parts else None

    @property
    def share(self) -> Share | None:
        """The people complete, of those counted; None where it cannot be shown."""
        return Share(self.parts[0], self.parts[0] + self.parts[1]) if self.parts else None


@dataclass(frozen=True, slots=True)
class ShownTable(Generic[Key]):
    """The rows of a table, by force or group."""

    rows: Mapping[Key, ShownCounts]

    @property
    def groups(self) -> frozenset[Key]:
        """The rows in the sum: those that are not hidden."""
        return frozenset(key for key, row in self.rows.items() if row.parts)

    @property
    def group_count(self) -> int:
        """Number of rows in the sum."""
        return len(self.groups)

    @property
    def total(self) -> ShownCounts | None:
        """The sum of the rows that are not hidden; None where each is."""
        shown = [row.parts for row in self.rows.values() if row.parts]
        return ShownCounts(add_parts(shown)) if shown else None


def add_parts(rows: Iterable[Sequence[int]]) -> Parts:
    """The sum of each part: complete, not complete and excluded."""
    complete, not_complete, excluded = map(sum, zip(*rows, strict=True))
    return complete, not_complete, excluded


def round_return(counts: Mapping[str, Counts], rounding: Rounding) -> dict[str, ShownCounts]:
    """Round what a force sent of itself, by requirement.

    What belongs together still does: nobody lacks a requirement and is complete, and whoever is not complete
    lacks one.
    """
    sent = counts[WHOLE_DIRECTIVE]
    whole = _round_counts(sent, rounding)
    if not whole.parts:
        return dict.fromkeys(counts, ShownCounts(hidden=whole.hidden))
    shown = {key: _round_counts(each, rounding) for key, each in counts.items()}
    lacking = {
        key: parts[1]
        for key, each in counts.items()
        if key != WHOLE_DIRECTIVE and shown[key].parts and (parts := each.parts)
    }
    incomplete = whole.parts[1]
    least = incomplete if lacking and len(lacking) == len(counts) - 1 else 0
    for key, lack in rounding.round_lacking(lacking, least, incomplete).items():
        of_all = (counts[key].assigned, counts[key].excluded) == (sent.assigned, sent.excluded)
        shown[key] = _hold_to_whole(whole if of_all else shown[key], lack, whole, rounding)
    return shown


def round_groups(
    groups: Mapping[str, Counts], whole: ShownCounts, other: str, rounding: Rounding
) -> dict[str, Row]:
    """Round what a force sent by role or by rank, so that it adds up to the whole force as it is shown.

    Args:
        groups: By name.
        whole: The force, which is shown.
        other: The name of the groups of fewer people than twice the base, which are together.
        rounding: Of the force.

    Returns:
        Complete, not complete and excluded by name; empty where a number is hidden.
    """
    rows = {name: parts for name, counts in groups.items() if (parts := counts.parts) and any(parts)}
    if any(counts.parts is None for counts in groups.values()) or not whole.parts:
        return {}
    rounded = rounding.round_rows(rounding.merge_rows(rows, other), whole.parts, other)
    return rounding.merge_rows(rounded.rows, other)  # one that did not fit can have become too small


def _round_counts(counts: Counts, rounding: Rounding) -> ShownCounts:
    """Round each part and all people, beside the true numbers, so that they add up."""
    if counts.parts is None or counts.assigned is None:
        return ShownCounts(hidden=BY_FORCE)
    if 0 < counts.assigned < 2 * rounding.base:
        return ShownCounts(hidden=BY_US)
    parts = dict(zip(("complete", "not_complete", "excluded"), counts.parts, strict=True))
    people = rounding.round_count(counts.assigned, "people")
    rounded = rounding.round_parts(parts, people, "groups")
    return ShownCounts((rounded["complete"], rounded["not_complete"], rounded["excluded"]))


def _hold_to_whole(
    requirement: ShownCounts, lack: int, whole: ShownCounts, rounding: Rounding
) -> ShownCounts:
    """The numbers of a requirement that so many lack, of no more people than the whole directive has."""
    excluded = min(requirement.excluded or 0, whole.excluded or 0)
    counted = min((requirement.assigned or 0) - excluded, (whole.assigned or 0) - (whole.excluded or 0))
    held = ShownCounts((max(counted - lack, 0), lack, excluded))
    return held if (held.assigned or 0) >= 2 * rounding.base else ShownCounts(hidden=BY_US)


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


# Writes the figures of all forces to files: a row for each force and month, as the pages show them.
#
# Numbers are rounded. An empty cell is hidden or not there; ``state`` and ``hidden`` say which.


@dataclass(frozen=True, slots=True)
class NationalRow:
    """A force in a month."""

    period: str
    due_on: date
    force: str
    name: str
    headcount: int
    requirement: str
    state: str
    received_on: date | None
    days_late: int
    number: int | None
    corrections: int
    assigned: int | None
    excluded: int | None
    complete: int | None
    not_complete: int | None
    hidden: str


COLUMNS = {  # each column of the files, and what it means
    "period": "The month.",
    "due_on": "The last UK day on which a return was on time.",
    "force": "The short name of the force.",
    "name": "Its name.",
    "headcount": "People of its workforce, as published.",
    "requirement": "Kind and key of a requirement; empty for the whole directive.",
    "state": "on_time, late, missing, awaited (not due yet) or not_asked. A correction makes no return late.",
    "received_on": "The UK day on which the first return came.",
    "days_late": "Of the first return, or until the day of the file where none has come.",
    "number": "The force's number of the return that counts.",
    "corrections": "Returns that came after the first.",
    "assigned": "Everybody to whom the directive applied. This number and the next three are rounded.",
    "excluded": "Those assigned who were exempt or deferred.",
    "complete": "Those counted who were complete.",
    "not_complete": "Those counted who were not complete.",
    "hidden": "force: the force hid numbers; small: of fewer people than twice small_number, none is shown.",
}


def list_rows(figures: NationalFigures) -> Iterator[NationalRow]:
    """List the rows of a file, by month and then by name of force."""
    for month in figures.months:
        for force in figures.forces:
            receipt, counts = month.receipts[force.id], month.figures_of(force)
            yield NationalRow(
                month.period.period,
                month.period.due_on,
                force.key,
                force.name,
                force.headcount,
                figures.requirement,
                receipt.state.value,
                receipt.first.received_on if receipt.first else None,
                receipt.days_late,
                receipt.current.number if receipt.current else None,
                receipt.corrections,
                counts.assigned,
                counts.excluded,
                counts.complete,
                counts.not_complete,
                counts.hidden,
            )


def describe_file(figures: NationalFigures) -> dict[str, str]:
    """Both times, the small number and the requirement of a file, by name."""
    return {
        "as_at": figures.position.as_at.isoformat(),
        "as_known_on": format_utc(figures.position.as_known_on),
        "small_number": str(figures.small),
        "requirement": figures.requirement,
    }


def write_national_csv(figures: NationalFigures) -> bytes:
    """Write the rows as CSV, each with both times of the file."""
    about = describe_file(figures)
    times = {name: about[name] for name in ("as_at", "as_known_on")}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*COLUMNS, *times], lineterminator="\r\n")
    writer.writeheader()
    for row in list_rows(figures):
        writer.writerow({**{name: _write_cell(value) for name, value in asdict(row).items()}, **times})
    return buffer.getvalue().encode()


_TOTALS = ("assigned", "excluded", "complete", "not_complete", "hidden")


def _write_cell(value: Any) -> Any:
    return disarm_formula(value) if isinstance(value, str) else value


def write_national_json(figures: NationalFigures) -> bytes:
    """Write the definitions, the sums of each month, and the rows as JSON."""
    document = {
        **describe_file(figures),
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in DEFINITIONS],
        "columns": COLUMNS,
        "totals": [
            {
                "period": month.period.period,
                "forces": month.table.group_count,
                **({name: getattr(month.table.total, name) for name in _TOTALS} if month.table.total else {}),
            }
            for month in figures.months
        ],
        "rows": [asdict(row) for row in list_rows(figures)],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1, default=date.isoformat) + "\n").encode()


def write_national_xlsx(figures: NationalFigures, created: datetime) -> bytes:
    """Write the rows as a workbook, with the meaning of each column. No text can run as a formula.

    Args:
        figures: The rows.
        created: The time of making in the workbook's properties.
    """
    import xlsxwriter  # 2 MiB, for the process that writes files

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": created.replace(tzinfo=None)})
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet("Forces")
        page.freeze_panes(1, 0)
        page.write_row(0, 0, list(COLUMNS), bold)
        page.set_column(0, len(COLUMNS) - 1, 14)
        for number, row in enumerate(list_rows(figures), start=1):
            for column, value in enumerate(asdict(row).values()):
                if isinstance(value, date):
                    page.write_datetime(number, column, datetime(value.year, value.month, value.day), day)
                elif value is not None and value != "":
                    page.write(number, column, value)
        _write_meanings(book.add_worksheet("Columns"), figures, bold)
    return buffer.getvalue()


def _write_meanings(page: Any, figures: NationalFigures, bold: Any) -> None:
    page.set_column(0, 0, 20)
    page.set_column(1, 1, 100)
    page.write_row(0, 0, ["column", "meaning"], bold)
    for number, cells in enumerate(
        {**COLUMNS, **describe_file(figures), **dict(DEFINITIONS)}.items(), start=1
    ):
        page.write_row(number, 0, cells)


# Line charts of shares by month: one of all forces together, and a small one of each force.

_EDGE = 4.0  # per cent of a drawing, so that the first and the last dot are whole


@dataclass(frozen=True, slots=True)
class MonthLine:
    """Shares of one force, month by month; the line is interrupted where there is none. In per cent."""

    shares: Sequence[Share | None]

    @property
    def parts(self) -> list[tuple[Dot, Dot]]:
        """The segments of the line between neighbouring months."""
        return [(left, right) for left, right in pairwise(self._place_dots()) if left and right]

    @property
    def dots(self) -> list[Dot]:
        """The months that have a share."""
        return [dot for dot in self._place_dots() if dot]

    def _place_dots(self) -> list[Dot | None]:
        step = (100 - 2 * _EDGE) / max(len(self.shares) - 1, 1)
        return [
            Dot(_EDGE + step * index, 90 - 80 * share.done / share.total) if share and share.total else None
            for index, share in enumerate(self.shares)
        ]


def line_of_force(figures: NationalFigures, force: NationalForce) -> MonthLine:
    """The line of one force over the months."""
    return MonthLine([month.figures_of(force).share for month in figures.months])


def line_of_all(figures: NationalFigures) -> LineChart:
    """The line of all forces together over the months."""
    return LineChart(list_points(figures))


def list_points(figures: NationalFigures) -> list[Point]:
    """The share of all forces together at the end of each month."""
    return [Point(last_day_of(month.period.period), month.share or Share()) for month in figures.months]
