"""What changed between two months and why: progress told apart from corrections, and from who returned.

The change is from what came first for the earlier month, which is what was said then, to what counts now for
the later one. It is the sum of its parts, number for number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.reports.statistics import Share
from portal.domain.returns.models import ForceReturn
from portal.domain.returns.national import EMPTY, NationalFigures, protect_receipts, read_counts
from portal.domain.returns.receipts import AskedPeriod, NationalForce, Receipt
from portal.domain.returns.suppression import ShownCounts, ShownTable
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
    """By how many people the complete and the counted changed."""

    complete: int = 0
    counted: int = 0

    def __add__(self, other: "CountStep") -> "CountStep":
        """Both steps, one after the other."""
        return CountStep(self.complete + other.complete, self.counted + other.counted)

    def __bool__(self) -> bool:
        return bool(self.complete or self.counted)


def step_between(before: Share | None, after: Share | None) -> CountStep:
    """The step from one share to another; None counts as nobody."""
    old, new = before or Share(), after or Share()
    return CountStep(new.done - old.done, new.total - old.total)


@dataclass(frozen=True, slots=True)
class ForceMovement:
    """What changed for one force.

    Attributes:
        force: Which.
        said: What its first return for the earlier month said.
        held: What counts now for the earlier month.
        now: What counts for the later month.
        reasons: In words, a sentence each.
    """

    force: NationalForce
    said: ShownCounts | None
    held: ShownCounts | None
    now: ShownCounts | None
    reasons: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, CountStep]:
        """The steps that lead from what was said to what counts now; their sum is the whole change."""
        said, held, now = (each.share if each else None for each in (self.said, self.held, self.now))
        parts: dict[str, CountStep] = {}
        if said != held:
            parts[CORRECTION] = step_between(said, held)
        if held is not None and now is not None:
            parts[PROGRESS] = step_between(held, now)
        elif now is not None:
            parts[ENTERED] = step_between(None, now)
        elif held is not None:
            parts[LEFT] = step_between(held, None)
        return parts

    @property
    def whole(self) -> CountStep:
        """From what was said to what counts now."""
        return step_between(self.said.share if self.said else None, self.now.share if self.now else None)


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
    def parts(self) -> dict[str, CountStep]:
        """The sum of each part over all forces."""
        sums = dict.fromkeys(PART_WORDS, CountStep())
        for force in self.forces:
            for part, step in force.parts.items():
                sums[part] += step
        return sums

    @property
    def said(self) -> Share:
        """The sum of what was said first for the earlier month."""
        return sum_shares(each.said for each in self.forces)

    @property
    def now(self) -> Share:
        """The sum of what counts for the later month."""
        return sum_shares(each.now for each in self.forces)


def sum_shares(shown: Iterable[ShownCounts | None]) -> Share:
    """The sum of all shares that are shown."""
    shares = (each.share for each in shown if each is not None)
    return sum((share for share in shares if share is not None), Share())


def read_movement(figures: NationalFigures) -> Movement | None:
    """What changed from the month before to the newest; None where none was before. Two statements."""
    before = figures.before
    if before is None:
        return None
    firsts = {
        force: Receipt(receipt.state, receipt.first, receipt.first)
        for force, receipt in before.receipts.items()
        if receipt.first
    }
    counts = read_counts([each.held.return_id for each in firsts.values() if each.held])
    said = protect_receipts(firsts, counts, figures.small).get(figures.requirement, EMPTY)
    reasons = read_reasons(before.receipts.values())
    moved = [
        _describe_force(
            force,
            (said, before.table, figures.newest.table),
            before.receipts[force.id],
            reasons.get(force.id, ""),
        )
        for force in figures.forces
    ]
    forces = [each for each in moved if any(part.share for part in (each.said, each.held, each.now) if part)]
    return Movement(before.period, figures.newest.period, forces)


def _describe_force(
    force: NationalForce, tables: Sequence[ShownTable[int]], receipt: Receipt, reason: str
) -> ForceMovement:
    first, counts, newest = (_find_row(table.rows, force) for table in tables)
    if not receipt.is_corrected:
        first = counts  # what hides a number of one table may differ from what hides it in another
    told = [f"The force says: {reason}"] if reason else []
    reasons = (*_correction_words(receipt, first, counts), *told, *_progress_words(counts, newest))
    return ForceMovement(force, first, counts, newest, reasons)


def read_reasons(receipts: Iterable[Receipt]) -> dict[int, str]:
    """Why forces say that they corrected a month, by the id of the force. One statement."""
    held = [receipt.held.return_id for receipt in receipts if receipt.held and receipt.is_corrected]
    statement = select(ForceReturn.force_id, ForceReturn.content).where(ForceReturn.id.in_(held))
    return {
        force: str(read_document(content)["reason"])
        for force, content in db.session.execute(statement)
        if content
    }


def _find_row(rows: Mapping[int, ShownCounts], force: NationalForce) -> ShownCounts | None:
    row = rows.get(force.id)
    return row if row and row.share else None


def _correction_words(receipt: Receipt, said: ShownCounts | None, held: ShownCounts | None) -> list[str]:
    if not receipt.is_corrected:
        return []
    if said is None or held is None or said.share is None or held.share is None:
        return ["The earlier month was corrected."]
    if said == held:
        return ["The earlier month was sent again with the same figures for the whole force."]
    was, became = (
        f"{percent_cut(each.done, each.total)} ({fraction(each.done, each.total)})"
        for each in (said.share, held.share)
    )
    return [f"The earlier month was corrected from {was} to {became}."]


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
    said = [each for each in words if each]
    return [f"{said[0][0].upper()}{', '.join(said)[1:]}."] if said else ["The same numbers in both months."]


def _more_or_fewer(before: int | None, after: int | None, word: str) -> str:
    if before is None or after is None or before == after:
        return ""
    people = plural(abs(after - before), "person", "people")
    return f"{people} {'more' if after > before else 'fewer'} {word}"
