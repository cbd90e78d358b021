"""The comparison of a month: what a force may see of the others, signed by the coordinating unit.

It names no force. It has the share of each force alone, in whole per cent and in rising order, because a
number of people would identify a force by its size. It is not made of few forces: each could be guessed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.domain.reports.funnels import (
    BEYOND,
    STANDING_WORDS,
    FunnelPlot,
    Interval,
    Standing,
    judge_standing,
    wilson_interval,
)
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.features.returns.content import (
    DEFINITIONS,
    FORCE,
    WHOLE_DIRECTIVE,
    ReturnContent,
    Schema,
    list_schema_faults,
)
from portal.features.returns.models import Comparison, ForceReturn
from portal.features.returns.national import (
    EMPTY,
    NationalFigures,
    ShownCounts,
    ShownTable,
    list_requirements,
    name_requirements,
    read_counts,
    read_national,
    round_receipts,
)
from portal.features.returns.queries import (
    AskedPeriod,
    MadeReturn,
    NationalForce,
    Receipt,
    list_newest_returns,
)
from portal.platform.audit import log
from portal.platform.clock import format_utc
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.signing.documents import is_genuine, read_document
from portal.platform.wording import fraction, number, percent_cut, plural

COMPARISON_FORMAT = "oic-comparison/1"
FEWEST_FORCES = 10  # with a share, in each part of a comparison
WHOLE_TITLE = "The whole directive"
_DAY = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_COUNT = {"type": "integer", "minimum": 0, "maximum": 10_000_000}
_LINE = {"type": "string", "minLength": 1, "maxLength": 2_000, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}


def _make_object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


COMPARISON_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "The shares of all forces in one month without their names, signed.",
    **_make_object(
        format={"const": COMPARISON_FORMAT},
        period={"type": "string", "pattern": "^20[0-9]{2}-(?:0[1-9]|1[0-2])$"},
        as_at={"type": "string", "pattern": _DAY},
        as_known_on={"type": "string", "pattern": "^20[0-9T:.-]{17,25}Z$"},
        asked=_COUNT,
        returned=_COUNT,
        definitions={
            "type": "array",
            "items": _make_object(term=_LINE, meaning=_LINE),
            "minItems": 1,
            "maxItems": 100,
        },
        requirements={
            "type": "array",
            "items": _make_object(
                key={"type": "string", "pattern": "^(?:[a-z]+:[a-z0-9-]{1,60})?$"},
                title=_LINE,
                complete=_COUNT,
                counted=_COUNT,
                shares={
                    "description": "Of each force, in whole per cent, cut; in rising order.",
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0, "maximum": 100},
                    "minItems": FEWEST_FORCES,
                    "maxItems": 1_000,
                },
            ),
            "minItems": 1,
            "maxItems": 100,
        },
        signature=_make_object(
            algorithm={"const": "Ed25519"},
            public_key={"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"},
            value={"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"},
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class ComparedRequirement:
    """The shares of all forces under one requirement, without their names."""

    key: str  # kind and key; "" for the whole directive
    title: str
    whole: Share  # of all forces together
    shares: tuple[int, ...]  # whole per cent, rising

    def count_beside(self, own_share: Share) -> tuple[int, int]:
        """How many shares are lower than a force's own, and how many higher; its own is neither."""
        percent = 100 * own_share.done // own_share.total if own_share.total else 0
        return sum(share < percent for share in self.shares), sum(share > percent for share in self.shares)

    @property
    def quartiles(self) -> tuple[int, int, int]:
        """The lower quartile, the median and the upper quartile."""
        count = len(self.shares)
        return self.shares[count // 4], self.shares[count // 2], self.shares[3 * count // 4]


@dataclass(frozen=True, slots=True)
class ComparisonContent:
    """The content of a checked comparison."""

    period: str
    as_at: str
    as_known_on: str
    asked: int
    returned: int
    requirements: tuple[ComparedRequirement, ...]


def build_comparison(position: Position, small: int, period: str) -> dict[str, Any]:
    """Build the unsigned comparison of a month. The number of statements grows with requirements alone."""
    whole = read_national(position, small, period=period, months=1)
    if not whole.months:
        raise NotFoundError("No returns were asked for of this month.")
    titles = {**name_requirements(whole.newest_month), WHOLE_DIRECTIVE: WHOLE_TITLE}
    figures_by_requirement = [
        whole
        if key == WHOLE_DIRECTIVE
        else read_national(position, small, period=period, requirement=key, months=1)
        for key in list_requirements(whole.newest_month)
    ]
    compared = [
        comparison
        for figures in figures_by_requirement
        if (comparison := _compare_shares(figures, titles.get(figures.requirement, figures.requirement)))
    ]
    if not compared:
        raise RuleError(
            f"Fewer than {FEWEST_FORCES} forces have a figure for this month. A comparison of so few would "
            "say who they are."
        )
    return {
        "format": COMPARISON_FORMAT,
        "period": period,
        "as_at": position.as_at.isoformat(),
        "as_known_on": format_utc(position.as_known_on),
        "asked": whole.newest_month.asked_count,
        "returned": whole.newest_month.returned_count,
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in DEFINITIONS],
        "requirements": compared,
    }


def _compare_shares(figures: NationalFigures, title: str) -> dict[str, Any] | None:
    shares = [
        share for row in figures.newest_month.table.rows.values() if (share := row.share) and share.total
    ]
    if len(shares) < FEWEST_FORCES:
        return None
    whole = sum(shares, Share())
    return {
        "key": figures.requirement,
        "title": title,
        "complete": whole.done,
        "counted": whole.total,
        "shares": sorted(100 * share.done // share.total for share in shares),
    }


def read_comparison(content: bytes, public_key: str) -> ComparisonContent:
    """Check a comparison and read it.

    Args:
        content: The file.
        public_key: Of the coordinating unit, as this force knows it.
    """
    document = read_document(content)
    faults = list_schema_faults(document, COMPARISON_SCHEMA)
    if faults:
        raise BadInputError(faults)
    if not is_genuine(document, public_key):
        raise BadInputError(["The coordinating unit did not sign this file with the key that is set here."])
    if faults := list(_list_impossible_numbers(document["requirements"])):
        raise BadInputError(faults)
    return ComparisonContent(
        document["period"],
        document["as_at"],
        document["as_known_on"],
        document["asked"],
        document["returned"],
        tuple(
            ComparedRequirement(
                row["key"], row["title"], Share(row["complete"], row["counted"]), tuple(row["shares"])
            )
            for row in document["requirements"]
        ),
    )


def _list_impossible_numbers(requirements: Sequence[dict[str, Any]]) -> list[str]:
    """List requirements with more complete than counted, or with shares out of order."""
    return [
        f"The numbers of “{row['title']}” cannot all be true."
        for row in requirements
        if row["complete"] > row["counted"] or row["shares"] != sorted(row["shares"])
    ]


# Keeps the coordinating unit's comparisons, and reads this force's figures beside the anonymous others.


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """One requirement in a comparison, with this force’s own figure; None: there is none, or it is hidden."""

    compared: ComparedRequirement
    own_share: Share | None

    @property
    def lower_and_higher(self) -> tuple[int, int]:
        """How many other forces have a lower share, and how many a higher one."""
        return self.compared.count_beside(self.own_share) if self.own_share else (0, 0)


@dataclass(frozen=True, slots=True)
class OwnComparison:
    """A comparison as the force reads it."""

    content: ComparisonContent
    standings: tuple[OwnStanding, ...]
    number: int | None  # of the own return beside it; None: none of the month has its requirements


def keep_comparison(file: bytes, public_key: str, *, at: datetime, by: int | None) -> str:
    """Keep a comparison of the coordinating unit; the same file twice is kept once.

    Args:
        file: As it came.
        public_key: Of the coordinating unit.
        at: Now.
        by: Who loaded it; None: the command line.

    Returns:
        Its period.

    Raises:
        BadInputError: The file is no comparison, or the coordinating unit did not sign it.
    """
    recorded_at = stamp()
    content = read_comparison(file, public_key)
    digest = hashlib.sha256(file).hexdigest()
    if db.session.scalar(select(Comparison.id).where(Comparison.digest == digest)) is None:
        db.session.add(
            Comparison(
                recorded_at=recorded_at,
                period=content.period,
                content=file,
                digest=digest,
                received_by_id=by,
            )
        )
        log("return.compared", actor_id=by, period=content.period, sha256=digest)
    return content.period


def read_own_comparison(period: str, public_key: str) -> OwnComparison:
    """Read the last comparison of a month that was received, beside this force's newest return of it.

    Raises:
        BadInputError: The key of the coordinating unit was changed since.
    """
    statement = select(Comparison).where(Comparison.period == period).order_by(Comparison.id.desc())
    loaded = db.session.scalars(statement.limit(1)).first()
    if loaded is None:
        raise NotFoundError("There is no comparison of this month.")
    content = read_comparison(loaded.content, public_key)
    own_return = _find_return_beside(content)
    own_shares = _read_shares(own_return.content) if own_return else {}
    standings = tuple(OwnStanding(row, own_shares.get(row.key)) for row in content.requirements)
    return OwnComparison(content, standings, own_return.number if own_return else None)


def _find_return_beside(content: ComparisonContent) -> MadeReturn | None:
    """Find the return on the directive with most requirements of a comparison, which names no directive.

    None: no directive has any, or two have as many.
    """
    named = {row.key for row in content.requirements if row.key}
    by_shared: dict[int, list[MadeReturn]] = defaultdict(list)
    for made in list_newest_returns(content.period).values():
        by_shared[len(named & dict(made.content.requirements).keys())].append(made)
    most = max(by_shared, default=0)
    candidates = by_shared[most] if most or not named else []
    return candidates[0] if len(candidates) == 1 else None


def _read_shares(content: ReturnContent) -> dict[str, Share]:
    """The shares of the whole force by requirement, where no number of them is hidden."""
    shares = {}
    for count in content.counts:
        assigned, excluded, complete = count.numbers
        if count.grouping == FORCE and None not in count.numbers:
            shares[count.requirement] = Share(complete or 0, (assigned or 0) - (excluded or 0))
    return shares


# What changed between two months: progress, corrections, and forces with a figure in one month alone.
#
# The change is from the first return for the earlier month, as it was shown then, to what counts now for
# the later month. It is exactly the sum of its parts.

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


# How forces differ: each share with its Wilson interval, compared with that of all forces together.


@dataclass(frozen=True, slots=True)
class ForceStanding:
    """A force's share, with its interval.

    Attributes:
        interval: Wilson's 95% interval of the share.
        standing: Compared with all forces together.
    """

    force: NationalForce
    share: Share
    interval: Interval
    standing: Standing

    @property
    def words(self) -> str:
        """The standing in words."""
        return STANDING_WORDS[self.standing]

    @property
    def percent(self) -> float:
        """The share in per cent, for a chart."""
        return 100 * self.share.done / self.share.total


@dataclass(frozen=True, slots=True)
class Variation:
    """The forces of a month that have a share, the most people first, and those that have none.

    They are in the order of their size, not of their share: a small force is high or low by chance more
    easily than a large one, so an order by percentage would mislead.
    """

    forces: Sequence[ForceStanding]
    without_share: Sequence[NationalForce]

    @property
    def funnel(self) -> FunnelPlot:
        """The forces with a share as a funnel plot."""
        return FunnelPlot([(row.force.name, row.share) for row in self.forces])

    @property
    def beyond_limits(self) -> list[ForceStanding]:
        """The forces beyond the limits, the lowest standing first."""
        order = [Standing.VERY_LOW, Standing.LOW, Standing.HIGH, Standing.VERY_HIGH]
        rows = [row for row in self.forces if row.standing in BEYOND]
        return sorted(rows, key=lambda row: (order.index(row.standing), row.force.name))

    @property
    def quartiles(self) -> tuple[int, int, int] | None:
        """The lower quartile, the median and the upper quartile of shares in per cent, cut; None: too few."""
        shares = sorted(100 * row.share.done // row.share.total for row in self.forces)
        if len(shares) < 4:
            return None
        return shares[len(shares) // 4], shares[len(shares) // 2], shares[3 * len(shares) // 4]

    @property
    def sentence(self) -> str:
        """How many forces differ by more than chance, as a sentence or two."""
        count = len(self.beyond_limits)
        if len(self.forces) < 2:
            return "Too few forces have a figure to compare them."
        if not count:
            return (
                f"No force of {number(len(self.forces))} differs from the rest by more than chance explains."
            )
        text = (
            f"{number(count)} of {number(len(self.forces))} forces differ from all forces together by more "
            "than chance explains (1 in 20)."
        )
        if 2 * count > len(self.forces):
            text += " Most do, so chance is not the reason: ask what is."
        return text


def compare_forces(figures: NationalFigures) -> Variation:
    """Compare the forces of the newest month."""
    shares = {force: figures.newest_month.figures_of(force).share for force in figures.forces}
    whole = sum((share for share in shares.values() if share), Share())
    centre = whole.done / whole.total if whole.total else 0.0
    standings = [
        ForceStanding(
            force,
            share,
            wilson_interval(share.done, share.total),
            judge_standing(share.done, share.total, centre),
        )
        for force, share in shares.items()
        if share and share.total
    ]
    standings.sort(key=lambda row: (-row.share.total, row.force.name))
    return Variation(standings, [force for force, share in shares.items() if not (share and share.total)])
