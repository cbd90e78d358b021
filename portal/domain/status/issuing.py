"""Records facts with all that follows: at once, or ahead where that concerns many people."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

from portal.domain.directives.assignments import list_people_with_posts
from portal.domain.directives.pending import NEW_DIRECTIVE, NEW_VERSION, PendingFacts
from portal.domain.directives.proposals import Proposal, find_directive_id
from portal.domain.directives.services import Confirmation, IssueResult, add_directive, record_proposal
from portal.domain.status.ahead import (
    WAIT_SECONDS,
    LostClaimError,
    RowsAhead,
    TellProgress,
    begin_ahead,
    tell_nobody,
)
from portal.domain.status.projector import StagedProjection, stage_projection, with_stamp
from portal.platform.bulk_writing import enlarged_page_cache, paused_garbage_collection
from portal.platform.db import newest_stamp, stamp, transaction
from portal.platform.errors import BusyError

MOST_AT_ONCE = 500  # people whose rows are written in the transaction that records the version
FEW = 20  # outdated people with whom the last transaction may begin
MOST_UNDER_LOCK = 200  # whose rows it may compute again, as more come meanwhile
ROUNDS = 10  # of computing again those about whom something was recorded meanwhile
TRIES = 3

T = TypeVar("T")


class OutdatedError(BusyError):
    """What many rows follow from was recorded while they were written ahead."""


def record_version(
    propose: Callable[[], Proposal],
    confirmation: Confirmation,
    *,
    tell: TellProgress = tell_nobody,
    conclude: Callable[[IssueResult], None] = lambda _issued: None,
) -> IssueResult:
    """Record a version; the lock is held for a moment at a time. Edge only, outside a transaction.

    Args:
        propose: Gives the version as it would be recorded now.
        confirmation: Who confirmed it, and when.
        tell: As ``record_with_periods`` tells it.
        conclude: Called in the transaction that records it, with what was recorded.

    Raises:
        BusyError: Others changed units or the directive each time.
        PortalError: As ``record_proposal`` does.
    """

    def add_new_directive() -> dict[int, int]:
        reference = propose().reference
        return {NEW_DIRECTIVE: find_directive_id(reference) or add_directive(reference, stamp())}

    def record(staged: StagedProjection, periods_are_written: bool) -> IssueResult:
        issued = record_proposal(propose, confirmation)
        if periods_are_written and not issued.new:
            raise OutdatedError
        write_version(staged, issued, periods_are_written=periods_are_written)
        return issued

    def stage() -> StagedProjection:
        return stage_version(propose(), tell)

    return record_with_periods(stage, add_new_directive, record, tell=tell, conclude=conclude)


def stage_version(proposal: Proposal, tell: TellProgress = tell_nobody) -> StagedProjection:
    """Compute the projection of issuing a directive version, for everyone with a post."""
    people = () if proposal.is_unchanged else list_people_with_posts()
    return stage_projection(people, PendingFacts(versions=[proposal.pending_version()]), tell)


def write_version(
    staged: StagedProjection, issued: IssueResult, *, periods_are_written: bool = False
) -> None:
    """Write the projection of ``stage_version``, in the transaction that issued the version."""
    if issued.new:
        real = {NEW_DIRECTIVE: issued.directive_id, NEW_VERSION: issued.version_id}
        staged.write_rows(stamp(), real, periods_are_written=periods_are_written)


def record_with_periods(
    stage: Callable[[], StagedProjection],
    prepare: Callable[[], dict[int, int]],
    record: Callable[[StagedProjection, bool], T],
    *,
    tell: TellProgress,
    conclude: Callable[[T], None],
) -> T:
    """Record facts with the status periods that follow: those of many people in slices ahead of the facts.

    Args:
        stage: Computes the projection of the facts.
        prepare: Called before rows are written ahead, in a transaction; adds what the periods refer to, and
            gives the real ids of placeholders.
        record: Called in the last transaction; records the facts and writes the projection, whose periods
            may be written already.
        tell: Is told how many people are done, of how many; may raise to stop it.
        conclude: Called after ``record`` there, with its result.

    Raises:
        BusyError: What the periods follow from was changed by others each time.
    """
    for _ in range(TRIES):
        staged = stage()
        if len(staged.edits) <= MOST_AT_ONCE:
            with transaction():
                recorded = record(staged, False)
                conclude(recorded)
            return recorded
        with suppress(OutdatedError, LostClaimError):
            return record_ahead(staged, prepare, record, tell, conclude)
    raise BusyError


@paused_garbage_collection()
def record_ahead(
    staged: StagedProjection,
    prepare: Callable[[], dict[int, int]],
    record: Callable[[StagedProjection, bool], T],
    tell: TellProgress,
    conclude: Callable[[T], None],
) -> T:
    """Write status periods in slices, then record the facts behind them in one short transaction. Edge only.

    The arguments are those of ``record_with_periods``.

    Raises:
        OutdatedError: What the rows follow from was changed meanwhile. Nothing is left of them.
        LostClaimError: Another process undid the rows.
    """
    rows, ids = begin_ahead(prepare)
    real = with_stamp(ids, rows.at)
    try:
        rows.write_edits(staged.edits, real, partial(staged.find_outdated, rows.at, real), tell)
        _catch_up(staged, rows, real)
        with transaction(stamp_as=rows.at, wait_seconds=WAIT_SECONDS), enlarged_page_cache():
            if stamp() != rows.at or len(staged.find_outdated(rows.at, real)) > MOST_UNDER_LOCK:
                raise OutdatedError
            recorded = record(staged, True)
            rows.free_stamp()
            conclude(recorded)
    except BaseException:
        with suppress(BusyError):  # what cannot be undone now is undone when no heartbeat has come for long
            rows.undo_all()
        raise
    return recorded


def _catch_up(staged: StagedProjection, rows: RowsAhead, real: dict[int, int]) -> None:
    """Write again the rows of people about whom something was recorded meanwhile, until they are few.

    After so many rounds they may still be more: the transaction that follows decides.
    """
    for _ in range(ROUNDS):
        until = newest_stamp() or staged.known_at
        outdated = staged.find_outdated(until + timedelta(microseconds=1), real)
        if len(outdated) <= FEW:
            return
        if outdated == staged.people:
            raise OutdatedError
        rows.undo_people(outdated)
        staged.leave_out(outdated)
        staged.known_at = until
        staged.compute_edits(outdated, tell=lambda _done, _all: rows.renew_claim())
        edits = staged.edits
        again = {key: edits[key] for key in sorted(outdated) if key in edits}
        rows.write_edits(again, real, partial(staged.find_outdated, rows.at, real), tell_nobody)
