"""Writes a large projection before its facts, in slices, so that nobody waits long for the lock.

The transaction that will record the facts is given its stamp before the rows are written. No report is known
on that stamp or later until it commits, so until then nobody sees them. What is cut off is undone.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.status.models import StatusPeriod
from portal.domain.status.periods import RowEdits
from portal.domain.status.projection_rows import undo_rows, write_edits
from portal.platform import clock
from portal.platform.bulk_writing import enlarged_page_cache
from portal.platform.clock import from_microseconds, to_microseconds
from portal.platform.db import STAMP_LEAD, StampAhead, db, read_stamps, stamp, take_writers_lock, transaction
from portal.platform.engines import let_others_write
from portal.platform.errors import BusyError

SLICE = 1_000  # rows written under one lock: about 25 ms of a processor
PEOPLE = 200  # whose rows are undone under one lock
TURN = 4  # times as long as a slice holds the lock, others may have it before the next, if they wait for it
WAIT_SECONDS = 30.0  # for the lock, such as while an import is written
SILENT = timedelta(seconds=60)  # without a heartbeat, after which rows written ahead are undone
WAITS = 180  # times half a second, for another change to be written, or to be undone after a kill

T = TypeVar("T")
TellProgress = Callable[[int, int], None]  # how many people are done, of how many; may raise to stop it


def tell_nobody(_done: int, _of: int) -> None:
    """Do nothing with the progress."""


class LostClaimError(BusyError):
    """The rows written ahead were undone meanwhile, because no heartbeat came."""


class RowsAhead:
    """The rows of one change, written ahead of its stamp ``at``."""

    def __init__(self, at: datetime, claim: UUID) -> None:
        self.at, self.claim = at, claim

    def write_edits(
        self,
        edits: Mapping[int, RowEdits],
        real: Mapping[int, int],
        find_outdated: Callable[[Collection[int]], Collection[int]],
        tell: TellProgress,
    ) -> None:
        """Write edits by person, in slices: each holds the lock for a moment. Outside a transaction.

        Args:
            edits: Computed before the lock was taken.
            real: The real ids of placeholders.
            find_outdated: Gives those of some people about whom others have recorded something since. It is
                asked under each lock; edits of these people would close periods that are closed already.
            tell: Is told after each slice.
        """
        done = 0
        for part in _split_edits(edits):
            with self._open_slice():
                outdated = find_outdated(part.keys())
                write_edits({person: each for person, each in part.items() if person not in outdated}, real)
            done += len(part)
            tell(done, len(edits))

    def undo_people(self, people: Iterable[int]) -> None:
        """Undo the rows of these people, in slices. Outside a transaction."""
        for ids in split_into_batches(people, PEOPLE):
            with self._open_slice():
                undo_rows(ids, self.at)

    def undo_all(self) -> None:
        """Undo all rows, and free the stamp. Outside a transaction."""
        at, period = to_microseconds(self.at), StatusPeriod
        changed = or_(period.known_from == at, period.known_to == at)
        self.undo_people(db.session.scalars(select(period.person_id).where(changed).distinct()).all())
        with transaction():
            self.free_stamp()

    @contextmanager
    def _open_slice(self) -> Iterator[None]:
        """One short transaction under the lock, which says that the writer is alive; then others have a turn.

        So those who save answers meanwhile can have the lock for four fifths of the time, and where nobody
        does the next slice follows at once.

        Raises:
            LostClaimError: Another process is undoing the rows.
        """
        with transaction(wait_seconds=WAIT_SECONDS), enlarged_page_cache():
            take_writers_lock()
            locked_at = monotonic()
            mine = StampAhead.claim == self.claim
            self._require_claim(update(StampAhead).where(mine).values(heartbeat_at=clock.now()))
            yield
        let_others_write(db.engine, TURN * (monotonic() - locked_at))

    def renew_claim(self) -> None:
        """Say that the writer is alive, between slices. Outside a transaction."""
        with self._open_slice():
            pass

    def free_stamp(self) -> None:
        """End writing ahead, in the transaction that takes the stamp or after undoing.

        Raises:
            LostClaimError: Another process is undoing the rows.
        """
        self._require_claim(delete(StampAhead).where(StampAhead.claim == self.claim))

    def _require_claim(self, statement: Any) -> None:
        """Execute a statement about the row of this claim, which must be there."""
        result: Any = db.session.execute(statement)
        if not result.rowcount:
            raise LostClaimError


def begin_ahead(prepare: Callable[[], T]) -> tuple[RowsAhead, T]:
    """Take a stamp for a later transaction, whose rows are written ahead from now on. Outside a transaction.

    Args:
        prepare: Called in the same transaction; adds what the periods refer to, such as the directive.

    Raises:
        BusyError: Another change is being written ahead all the time.
    """
    for _ in range(WAITS):
        undo_lost_rows()
        with transaction():
            take_writers_lock()
            if read_stamps()[1] is None:
                rows = RowsAhead(max(stamp(), clock.now()) + STAMP_LEAD, uuid4())
                db.session.execute(
                    insert(StampAhead).values(
                        microseconds=to_microseconds(rows.at), claim=rows.claim, heartbeat_at=clock.now()
                    )
                )
                return rows, prepare()
        sleep(0.5)
    raise BusyError


def refuse_rows_ahead() -> None:
    """Refuse to compare all rows with the facts while some are written ahead of theirs.

    Raises:
        BusyError: Some are.
    """
    if read_stamps()[1] is not None:
        raise BusyError


def has_lost_rows() -> bool:
    """Whether rows were written ahead by a process that is gone."""
    return db.session.scalar(select(StampAhead.claim).where(_is_silent())) is not None


def _is_silent() -> ColumnElement[bool]:
    return StampAhead.heartbeat_at < clock.now() - SILENT


def undo_lost_rows() -> None:
    """Undo rows that were written ahead by a process that is gone. Outside a transaction; may be cut off."""
    lost = db.session.execute(
        select(StampAhead.microseconds, StampAhead.claim).where(_is_silent())
    ).one_or_none()
    if lost is None:
        return
    claim = uuid4()
    with transaction():
        result: Any = db.session.execute(
            update(StampAhead)
            .where(StampAhead.claim == lost.claim, _is_silent())
            .values(claim=claim, heartbeat_at=clock.now())
        )
    if result.rowcount:
        RowsAhead(from_microseconds(lost.microseconds), claim).undo_all()


def _split_edits(edits: Mapping[int, RowEdits]) -> Iterator[dict[int, RowEdits]]:
    """The edits in parts of about ``SLICE`` rows; those of one person stay together."""
    part: dict[int, RowEdits] = {}
    size = 0
    for person, each in edits.items():
        part[person] = each
        size += len(each.closed) + len(each.deleted) + len(each.inserted)
        if size >= SLICE:
            yield part
            part, size = {}, 0
    if part:
        yield part
