"""What changed between two months: progress, corrections, and forces with a figure in one month alone.

The change is from the first return for the earlier month, as it was shown then, to what counts now for the
later month. It is exactly the sum of its parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.reports.statistics import Share
from portal.domain.returns.models import ForceReturn
from portal.domain.returns.national import EMPTY, NationalFigures, read_counts, round_receipts
from portal.domain.returns.receipts import AskedPeriod, NationalForce, Receipt
from portal.domain.returns.shown_counts import ShownCounts, ShownTable
from portal.platform.db import db
from portal.platform.signing.documents import read_document
from portal.platform.wording import fraction, percent_cut, plural

CORRECTION, PROGRESS, ENTERED, LEFT = "correction", "progress", "entered", "left"
PART_WORDS = {
    CORRECTION: "Corrections of the earlier month",
    PROGRESS: "Progress of forces that returned both months",
    ENTERED: "Forces with a figure in the later month alone",
    LEFT: "Forces with a figure in the earlier month alone",
}


@dataclass(frozen=True, slots=True)
class CountStep:
    """By how many the people complete and the people counted changed."""

    complete: int = 0
    counted: int = 0

    def __add__(self, other: "CountStep") -> "CountStep":
        """Both steps, one after the other."""
        return CountStep(self.complete + other.complete, self.counted + other.counted)

    def __bool__(self) -> bool:
        return bool(self.complete or self.counted)


def step_between(earlier: Share | None, later: Share | None) -> CountStep:
    """The step from one share to another; None counts as nobody."""
    first, last = earlier or Share(), later or Share()
    return CountStep(last.done - first.done, last.total - first.total)


@dataclass(frozen=True, slots=True)
class ForceMovement:
    """What changed for one force.

    Attributes:
        force: The force.
        first_counts: Those of its first return for the earlier month.
        current_counts: What counts now for the earlier month.
        later_counts: What counts for the later month.
        reasons: Why, a sentence each.
    """

    force: NationalForce
    first_counts: ShownCounts | None
    current_counts: ShownCounts | None
    later_counts: ShownCounts | None
    reasons: tuple[str, ...] = ()

    @property
    def steps(self) -> dict[str, CountStep]:
        """The steps from the first return for the earlier month to what counts for the later one."""
        first, current, later = (
            counts.share if counts else None
            for counts in (self.first_counts, self.current_counts, self.later_counts)
        )
        steps: dict[str, CountStep] = {}
        if first != current:
            steps[CORRECTION] = step_between(first, current)
        if current is not None and later is not None:
            steps[PROGRESS] = step_between(current, later)
        elif later is not None:
            steps[ENTERED] = step_between(None, later)
        elif current is not None:
            steps[LEFT] = step_between(current, None)
        return steps

    @property
    def whole_step(self) -> CountStep:
        """From the first return for the earlier month to what counts for the later one."""
        return step_between(
            self.first_counts.share if self.first_counts else None,
            self.later_counts.share if self.later_counts else None,
        )


@dataclass(frozen=True, slots=True)
class Movement:
    """What changed from one month to the next.

    Attributes:
        earlier: The month before.
        later: The month of the page.
        forces: Those with a figure in either month, by name.
    """

    earlier: AskedPeriod
    later: AskedPeriod
    forces: Sequence[ForceMovement]

    @property
    def steps(self) -> dict[str, CountStep]:
        """The sum of each part over all forces."""
        sums = dict.fromkeys(PART_WORDS, CountStep())
        for force in self.forces:
            for part, step in force.steps.items():
                sums[part] += step
        return sums

    @property
    def first_share(self) -> Share:
        """The sum of all forces' first returns for the earlier month."""
        return sum_shares(force.first_counts for force in self.forces)

    @property
    def later_share(self) -> Share:
        """The sum of what counts for the later month."""
        return sum_shares(force.later_counts for force in self.forces)


def sum_shares(rows: Iterable[ShownCounts | None]) -> Share:
    """The sum of all shares that are shown."""
    shares = (row.share for row in rows if row is not None)
    return sum((share for share in shares if share is not None), Share())


def read_movement(figures: NationalFigures) -> Movement | None:
    """Read what changed since the month before the newest; None where there is none. Two statements."""
    earlier_month = figures.previous_month
    if earlier_month is None:
        return None
    first_receipts = {
        force: Receipt(receipt.state, receipt.first, receipt.first)
        for force, receipt in earlier_month.receipts.items()
        if receipt.first
    }
    counts = read_counts(
        [receipt.current.return_id for receipt in first_receipts.values() if receipt.current]
    )
    first_table = round_receipts(first_receipts, counts, figures.small).get(figures.requirement, EMPTY)
    reasons = read_correction_reasons(earlier_month.receipts.values())
    movements = [
        _describe_force(
            force,
            (first_table, earlier_month.table, figures.newest_month.table),
            earlier_month.receipts[force.id],
            reasons.get(force.id, ""),
        )
        for force in figures.forces
    ]
    forces = [
        movement
        for movement in movements
        if any(
            counts.share
            for counts in (movement.first_counts, movement.current_counts, movement.later_counts)
            if counts
        )
    ]
    return Movement(earlier_month.period, figures.newest_month.period, forces)


def _describe_force(
    force: NationalForce, tables: Sequence[ShownTable[int]], receipt: Receipt, reason: str
) -> ForceMovement:
    first, counts, newest = (_find_row(table.rows, force) for table in tables)
    own_words = [f"The force says: {reason}"] if reason else []
    reasons = (*_correction_words(receipt, first, counts), *own_words, *_progress_words(counts, newest))
    return ForceMovement(force, first, counts, newest, reasons)


def read_correction_reasons(receipts: Iterable[Receipt]) -> dict[int, str]:
    """Read the reasons that forces gave for their corrections, by the id of the force. One statement."""
    return_ids = [
        receipt.current.return_id for receipt in receipts if receipt.current and receipt.is_corrected
    ]
    statement = select(ForceReturn.force_id, ForceReturn.content).where(ForceReturn.id.in_(return_ids))
    return {
        force: str(read_document(content)["reason"])
        for force, content in db.session.execute(statement)
        if content
    }


def _find_row(rows: Mapping[int, ShownCounts], force: NationalForce) -> ShownCounts | None:
    row = rows.get(force.id)
    return row if row and row.share else None


def _correction_words(receipt: Receipt, first: ShownCounts | None, current: ShownCounts | None) -> list[str]:
    if not receipt.is_corrected:
        return []
    if first is None or current is None or first.share is None or current.share is None:
        return ["The earlier month was corrected."]
    if first == current:
        return ["The earlier month was sent again with the same figures for the whole force."]
    former, corrected = (
        f"{percent_cut(share.done, share.total)} ({fraction(share.done, share.total)})"
        for share in (first.share, current.share)
    )
    return [f"The earlier month was corrected from {former} to {corrected}."]


def _progress_words(before: ShownCounts | None, after: ShownCounts | None) -> list[str]:
    if before is None and after is None:
        return []
    if before is None:
        return ["No figure for the earlier month."]
    if after is None:
        return ["No figure for the later month."]
    words = [
        _more_or_fewer(before.complete, after.complete, "complete"),
        _more_or_fewer(before.assigned, after.assigned, "assigned"),
        _more_or_fewer(before.excluded, after.excluded, "exempt or deferred"),
    ]
    changes = [text for text in words if text]
    return (
        [f"{changes[0][0].upper()}{', '.join(changes)[1:]}."]
        if changes
        else ["The same numbers in both months."]
    )


def _more_or_fewer(before: int | None, after: int | None, word: str) -> str:
    if before is None or after is None or before == after:
        return ""
    people = plural(abs(after - before), "person", "people")
    return f"{people} {'more' if after > before else 'fewer'} {word}"
