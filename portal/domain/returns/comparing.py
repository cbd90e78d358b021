"""Keeps the coordinating unit's comparisons, and reads this force's figures beside the anonymous others."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.domain.reports.statistics import Share
from portal.domain.returns.comparison import ComparedRequirement, ComparisonContent, read_comparison
from portal.domain.returns.content import FORCE, ReturnContent
from portal.domain.returns.models import Comparison
from portal.domain.returns.queries import MadeReturn, list_newest_returns
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import NotFoundError


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
        NotFoundError: No comparison of the month was received.
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
