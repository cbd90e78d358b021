"""Records a directive version with all that follows: at once, or ahead where that concerns many people."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

from portal.domain.directives.assignments import list_people_with_posts
from portal.domain.directives.pending import NEW_DIRECTIVE, NEW_VERSION, PendingFacts
from portal.domain.directives.proposals import Proposal, find_directive_id
from portal.domain.directives.services import Confirmation, IssueResult, add_directive, record_proposal
from portal.domain.status.ahead import WAIT_SECONDS, LostClaimError, RowsAhead, begin_ahead
from portal.domain.status.projector import StagedProjection, TellProgress, stage_projection, with_stamp
from portal.platform.bulk_writing import enlarged_page_cache
from portal.platform.db import newest_stamp, stamp, transaction
from portal.platform.errors import BusyError

MOST_AT_ONCE = 500  # people whose rows are written in the transaction that records the version
FEW = 20  # outdated people with whom the last transaction may begin
MOST_UNDER_LOCK = 200  # whose rows it may compute again, as more come meanwhile
ROUNDS = 10  # of computing again those about whom something was recorded meanwhile
TRIES = 3

Recorder = Callable[[], IssueResult]
Conclude = Callable[[IssueResult], None]
T = TypeVar("T")


class OutdatedError(BusyError):
    """What many rows follow from was recorded while they were written ahead."""


def record_version(
    propose: Callable[[], Proposal],
    confirmation: Confirmation,
    *,
    tell: TellProgress = lambda _done, _all: None,
    conclude: Conclude = lambda _issued: None,
) -> IssueResult:
    """Record a version; the lock is held for a moment at a time. Edge only, outside a transaction.

    Args:
        propose: Gives the version as it would be recorded now.
        confirmation: Who confirmed it, and when.
        tell: Is told how far it is; may raise to stop it.
        conclude: Called in the transaction that records it, with what was recorded.

    Raises:
        BusyError: Others changed units or the directive each time.
        PortalError: As ``record_proposal`` does.
    """
    record = partial(record_proposal, propose, confirmation)
    for _ in range(TRIES):
        proposal = propose()
        staged = stage_version(proposal, tell)
        if len(staged.projection.edits) <= MOST_AT_ONCE:
            with transaction():
                issued = record()
                write_version(staged, issued)
                conclude(issued)
            return issued
        with suppress(OutdatedError, LostClaimError):
            return _record_ahead(proposal, staged, record, conclude, tell)
    raise BusyError


def stage_version(proposal: Proposal, tell: TellProgress = lambda _done, _all: None) -> StagedProjection:
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


def _record_ahead(
    proposal: Proposal, staged: StagedProjection, record: Recorder, conclude: Conclude, tell: TellProgress
) -> IssueResult:
    """Write the status periods in slices, and then the version with the rest, as known from one stamp on."""

    def add_new_directive() -> dict[int, int]:
        existing = find_directive_id(proposal.reference)
        return {NEW_DIRECTIVE: existing or add_directive(proposal.reference, stamp())}

    def record_and_write() -> IssueResult:
        issued = record()
        if not issued.new:
            raise OutdatedError
        write_version(staged, issued, periods_are_written=True)
        return issued

    return write_ahead(staged, add_new_directive, record_and_write, conclude, tell)


def write_ahead(
    staged: StagedProjection,
    prepare: Callable[[], dict[int, int]],
    record: Callable[[], T],
    conclude: Callable[[T], None],
    tell: TellProgress,
) -> T:
    """Write staged status periods in slices, then record the facts behind them in one short transaction.

    Args:
        staged: The projection of these facts.
        prepare: Called first, in a transaction; adds what the periods refer to, and gives the real ids of
            placeholders.
        record: Called in the last transaction; records the facts and writes the rest of ``staged``.
        conclude: Called after it there, with its result.
        tell: Is told how far it is; may raise to stop it.

    Raises:
        OutdatedError: What the rows follow from was changed meanwhile. Nothing is left of them.
        LostClaimError: Another process undid the rows.
    """
    rows, ids = begin_ahead(prepare)
    real = with_stamp(ids, rows.at)
    try:
        rows.write_edits(staged.projection.edits, real, partial(staged.find_outdated, rows.at, real), tell)
        _catch_up(staged, rows, real)
        with transaction(stamp_as=rows.at, wait_seconds=WAIT_SECONDS), enlarged_page_cache():
            if stamp() != rows.at or len(staged.find_outdated(rows.at, real)) > MOST_UNDER_LOCK:
                raise OutdatedError
            recorded = record()
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
        edits = staged.projection.edits
        again = {key: edits[key] for key in sorted(outdated) if key in edits}
        rows.write_edits(again, real, partial(staged.find_outdated, rows.at, real), lambda _done, _all: None)
