"""Stages imports: what follows is computed before the lock, and where it is much, written in slices ahead."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_in_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from config import current_settings
from portal.domain.directives import changes
from portal.domain.directives.applies import PendingFacts, PendingRecord, number_placeholders
from portal.domain.directives.changes import PendingRoster, build_pending_roster
from portal.domain.imports.check_result import MovedError, RowFault, Tell
from portal.domain.imports.models import KeptRow
from portal.domain.people import roster_store
from portal.domain.people.roster_plan import RosterPlan
from portal.domain.people.roster_store import PlanBasis, RosterIds
from portal.domain.records import completion_import
from portal.domain.records.completion_import import (
    BATCH,
    ImportedCompletion,
    normalise_identifier,
    person_ids_by,
)
from portal.domain.status.projection_rows import LostClaimError
from portal.domain.status.projector import StagedProjection, stage_projection
from portal.domain.status.recording import MOST_AT_ONCE, OutdatedError, record_ahead
from portal.platform.audit import log
from portal.platform.bulk import enlarged_page_cache
from portal.platform.db import db, transaction
from portal.platform.errors import NotFoundError
from portal.platform.tables.table_files import SourceRow
from portal.platform.wording import date as day_words

# Completions of people who are not on the roster: kept for 90 days, recorded if the person arrives.
#
# Kept only under a profile that says so. A row ends once: recorded with the stamp of the day on which
# somebody imports it, erased after 90 days, or erased by hand before. Then only its mark is left.

KEPT_FOR = timedelta(days=90)
MOST_KEPT = 20_000  # open rows; a file of a whole country is probably the wrong one
_PURPOSE = b"portal: kept row of an import\0"
_NOBODY = 0  # in place of the id of a person who is not on the roster
_WHAT = ("requirement_kind", "requirement", "achieved_at")
_CONTENT = (*_WHAT, "score_scaled", "source_system", "evidence")


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A row of a file without faults, but for its person."""

    line: int
    scheme: str
    identifier: str
    content: Mapping[str, str]

    @property
    def mark(self) -> str:
        """A hash of who, what and when; nobody can find the person in it without the portal's secret key."""
        text = json.dumps([self.scheme, self.identifier, *(self.content[name] for name in _WHAT)])
        key = current_settings().secret_key.encode()
        return hmac.new(key, _PURPOSE + text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class UnknownRows:
    """The rows of a file whose people are not on the roster."""

    new: Sequence[UnknownRow] = ()  # to be kept
    kept: int = 0  # that are kept already
    ended: int = 0  # that were kept before, and ended
    reasons: Sequence[str] = ()  # why rows are bad


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """A kept row whose person is on the roster now."""

    id: int
    kept_at: datetime
    completion: ImportedCompletion


def split_unknown(rows: Sequence[SourceRow], scheme: str) -> tuple[list[SourceRow], list[SourceRow]]:
    """The rows of people on the roster, or of nobody at all; and those of people who are not on it."""
    people = person_ids_by(scheme)
    known: list[SourceRow] = []
    unknown: list[SourceRow] = []
    for row in rows:
        identifier = normalise_identifier(row.values["person"], scheme)
        (unknown if identifier and identifier not in people else known).append(row)
    return known, unknown


def check_unknown(rows: Sequence[SourceRow], scheme: str) -> UnknownRows:
    """Which of these rows of unknown people would be kept, and which are bad for another reason."""
    identifiers = [normalise_identifier(row.values["person"], scheme) for row in rows]
    nobody = dict.fromkeys(identifiers, _NOBODY)
    _, reasons = completion_import.parse_completions_with_faults(rows, scheme, nobody)
    bad_lines = {RowFault.from_reason(reason).line for reason in reasons}
    unknown: dict[str, UnknownRow] = {}
    for row, identifier in zip(rows, identifiers, strict=True):
        if row.line not in bad_lines:
            content = {name: row.values[name] for name in _CONTENT}
            unknown_row = UnknownRow(row.line, scheme, identifier, content)
            unknown.setdefault(unknown_row.mark, unknown_row)
    there = _find_marks(list(unknown))
    new = [row for mark, row in unknown.items() if mark not in there]
    if new and _count_open() + len(new) > MOST_KEPT:
        reasons.append(
            f"More than {MOST_KEPT:,} rows of people who are not on the roster would be kept. "
            "Perhaps it is the file of another force."
        )
    ended = sum(there.values())
    return UnknownRows(new, len(there) - ended, ended, reasons)


def _find_marks(marks: Sequence[str]) -> dict[str, bool]:
    """Which of these marks there are, and whether their row has ended."""
    there: dict[str, bool] = {}
    for begin in range(0, len(marks), BATCH):
        statement = select(KeptRow.mark, KeptRow.ended_at).where(
            KeptRow.mark.in_(marks[begin : begin + BATCH])
        )
        there |= {mark: ended_at is not None for mark, ended_at in db.session.execute(statement)}
    return there


def _count_open() -> int:
    return db.session.scalar(select(func.count(KeptRow.id)).where(KeptRow.ended_at.is_(None))) or 0


def keep_and_settle(rows: Iterable[UnknownRow], profile: str, by: int | None, at: datetime) -> None:
    """Keep rows from now on, and erase those whose completion is recorded by now, by whatever import."""
    new: list[dict[str, Any]] = [
        {
            "mark": row.mark,
            "profile": profile,
            "kept_at": at,
            "scheme": row.scheme,
            "identifier": row.identifier,
            "content": dict(row.content),
        }
        for row in rows
    ]
    if new:
        insert: Any = insert_in_postgresql if db.engine.dialect.name == "postgresql" else insert_in_sqlite
        db.session.execute(insert(KeptRow).on_conflict_do_nothing(), new)
        log("import.rows_kept", actor_id=by, rows=len(new))
    ready = list_ready(at)
    if ready:
        unrecorded = completion_import.list_unrecorded(row.completion for row in ready)
        keys = {completion.identity_key for completion in unrecorded}
        _end_rows([row.id for row in ready if row.completion.identity_key not in keys], "recorded", by, at)


def list_ready(at: datetime) -> list[ReadyRow]:
    """The kept rows whose people are on the roster now, in the order in which they were kept."""
    rows = db.session.execute(
        select(KeptRow.id, KeptRow.kept_at, KeptRow.scheme, KeptRow.identifier, KeptRow.content)
        .where(is_kept(at))
        .order_by(KeptRow.id)
    ).all()
    kept_at_by_id = {row.id: row.kept_at for row in rows}
    ready: list[ReadyRow] = []
    for scheme in sorted({row.scheme for row in rows}):
        people = person_ids_by(scheme)
        sources = [
            SourceRow(row.id, row.content | {"person": row.identifier})
            for row in rows
            if row.scheme == scheme and row.identifier in people
        ]
        completions, _ = completion_import.parse_completions_with_faults(sources, scheme, people)
        ready += [ReadyRow(one.line, kept_at_by_id[one.line], one) for one in completions]
    return sorted(ready, key=lambda row: row.id)


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """The kept rows of one identifier."""

    row_id: int  # of the first
    scheme: str
    identifier: str
    rows: int
    first_kept_at: datetime
    profiles: str  # the first of them, by name

    @property
    def first_erased_at(self) -> datetime:
        """When the first of the rows is erased at the latest."""
        return self.first_kept_at + KEPT_FOR


def day_achieved(content: Mapping[str, str]) -> str:
    """The day of a completion in words, from a row in the documented format."""
    return day_words(date.fromisoformat(content["achieved_at"][:10]))


def list_people(at: datetime, offset: int, limit: int) -> list[KeptPerson]:
    """The people of kept rows, those first whose rows end first. One statement."""
    statement = (
        select(
            func.min(KeptRow.id),
            KeptRow.scheme,
            KeptRow.identifier,
            func.count(KeptRow.id),
            func.min(KeptRow.kept_at),
            func.min(KeptRow.profile),
        )
        .where(is_kept(at))
        .group_by(KeptRow.scheme, KeptRow.identifier)
        .order_by(func.min(KeptRow.kept_at), func.min(KeptRow.id))
    )
    rows: Iterable[Any] = db.session.execute(statement.offset(offset).limit(limit))
    return [KeptPerson(*row) for row in rows]


def count_people(at: datetime) -> int:
    """The number of people of kept rows."""
    people = select(KeptRow.scheme, KeptRow.identifier).where(is_kept(at)).distinct().subquery()
    return db.session.scalar(select(func.count()).select_from(people)) or 0


def count_rows_by_identifier(schemes: Sequence[str], at: datetime) -> dict[tuple[str, str], int]:
    """The number of kept rows by scheme and identifier. One statement."""
    statement = (
        select(KeptRow.scheme, KeptRow.identifier, func.count(KeptRow.id))
        .where(is_kept(at), KeptRow.scheme.in_(schemes))
        .group_by(KeptRow.scheme, KeptRow.identifier)
    )
    rows: Iterable[Any] = db.session.execute(statement)
    return {(scheme, identifier): count for scheme, identifier, count in rows}


def rows_of_person(row_id: int, at: datetime) -> list[KeptRow]:
    """The kept rows of the person that this row names, oldest first."""
    row = db.session.scalar(select(KeptRow).where(KeptRow.id == row_id, is_kept(at)))
    if row is None:
        raise NotFoundError("This row is not kept any more.")
    same = (KeptRow.scheme == row.scheme) & (KeptRow.identifier == row.identifier)
    return list(db.session.scalars(select(KeptRow).where(same, is_kept(at)).order_by(KeptRow.id)))


def is_kept(at: datetime) -> ColumnElement[bool]:
    """The condition that a row is kept at this instant: not ended, and not older than 90 days."""
    return KeptRow.ended_at.is_(None) & (KeptRow.kept_at > at - KEPT_FOR)


def lock_kept(ids: Sequence[int], at: datetime) -> bool:
    """Whether all of these rows are still kept; nobody erases them until this transaction ends."""
    statement = select(KeptRow.id).where(is_kept(at), KeptRow.id.in_(ids)).with_for_update()
    return not ids or len(db.session.scalars(statement).all()) == len(ids)


def has_lapsed_rows(at: datetime) -> bool:
    """Whether a row has been kept for 90 days."""
    return db.session.scalar(select(KeptRow.id).where(_has_lapsed(at)).limit(1)) is not None


def erase_lapsed(at: datetime) -> int:
    """Erase the rows that have been kept for 90 days, and return how many."""
    return _end_rows(list(db.session.scalars(select(KeptRow.id).where(_has_lapsed(at)))), "lapsed", None, at)


def _has_lapsed(at: datetime) -> ColumnElement[bool]:
    return KeptRow.ended_at.is_(None) & (KeptRow.kept_at <= at - KEPT_FOR)


def erase_person(row_id: int, *, by: int | None, at: datetime) -> int:
    """Erase every kept row of the person that this row names, and return how many."""
    return _end_rows([row.id for row in rows_of_person(row_id, at)], "erased", by, at)


def _end_rows(ids: Sequence[int], how: str, by: int | None, at: datetime) -> int:
    """End rows: what they say of people is deleted, and only their marks are left."""
    if not ids:
        return 0
    ended = update(KeptRow).where(KeptRow.id.in_(ids), KeptRow.ended_at.is_(None))
    result: Any = db.session.execute(
        ended.values(scheme=None, identifier=None, content=None, ended_at=at, ended_as=how, ended_by_id=by),
        execution_options={"synchronize_session": False},
    )
    count: int = result.rowcount
    if count:
        log(f"import.rows_{how}", actor_id=by, rows=count)
    return count


def _stage_people(pending: PendingFacts, tell: Tell) -> StagedProjection:
    """Stage the projection of all people of these facts."""
    people = {*pending.posts, *pending.records}
    return stage_projection(
        people, pending, lambda done, total: tell(2, f"Worked out {done:,} of {total:,} people")
    )


def commit_at_once(record: Callable[[], None], _tell: Tell) -> None:
    """Call what records an import in one transaction. Edge only."""
    with transaction(), enlarged_page_cache():
        record()


@dataclass(slots=True)
class StagedRoster:
    """A roster's plan, the state of the database that it is based on, and its projection."""

    plan: RosterPlan
    basis: PlanBasis
    directives: str  # as ``preview.basis`` gives it
    roster: PendingRoster | None = None
    projection: StagedProjection | None = None
    ids: RosterIds | None = None  # of the facts to come, where the status periods are written ahead of them

    def stage(self, tell: Tell) -> None:
        """Compute the assignments and status periods that follow, without a lock."""
        self.roster = build_pending_roster(self.plan.post_changes, self.plan.unit_plan)
        self.projection = _stage_people(self.roster.facts, tell)

    def commit(self, record: Callable[[], None], tell: Tell) -> None:
        """Call ``record`` in one transaction; where status periods are many, they are written ahead of it.

        Edge only, outside a transaction.

        Args:
            record: Calls ``write``, and records all else that is to be committed with it.
            tell: Is told how far it is; may raise to stop it.

        Raises:
            MovedError: Since the check something was recorded that the plan is based on.
            BusyError: Another change is being written ahead all the time.
        """
        projection = self.projection
        if projection is None or len(projection.edits) <= MOST_AT_ONCE:
            commit_at_once(record, tell)
            return

        def tell_written(done: int, total: int) -> None:
            tell(2, f"Wrote what follows for {done:,} of {total:,} people")

        try:
            record_ahead(
                projection, self._give_ids, lambda _staged, _ahead: record(), tell_written, lambda _none: None
            )
        except (OutdatedError, LostClaimError) as error:
            raise MovedError from error

    def _give_ids(self) -> dict[int, int]:
        """The real id for each placeholder: free as long as nothing changes that the plan looks at."""
        self._refuse_moved()
        self.ids = roster_store.give_ids(self.plan)
        return self.roster.real_ids(self.ids) if self.roster else {}

    def _refuse_moved(self) -> None:
        if roster_store.read_plan_basis() != self.basis or changes.preview_basis() != self.directives:
            raise MovedError

    def write(self, at: datetime, by: int | None) -> None:
        """Write the plan and the rest of its projection under the lock.

        Raises:
            MovedError: Since the check something was recorded that the plan is based on.
        """
        self._refuse_moved()
        written = roster_store.write_plan(self.plan, at, by=by, ids=self.ids)
        if self.roster is not None and self.projection is not None:
            real, is_ahead = self.roster.real_ids(written), self.ids is not None
            self.projection.write_rows(at, real, periods_are_written=is_ahead)


@dataclass(slots=True)
class StagedCompletions:
    """The completions of a file, and the projection of those that are not recorded yet."""

    completions: Sequence[ImportedCompletion]
    new: Sequence[ImportedCompletion]  # of these, the ones that are not recorded
    newest: int  # the newest record at the comparison, or an earlier one
    ready_ids: Sequence[int] = ()  # kept rows among the completions
    projection: StagedProjection | None = None
    references: Sequence[str] = ()  # drawn for the new ones

    def stage(self, tell: Tell) -> None:
        """Draw references and compute the status periods that follow, without a lock."""
        self.references = completion_import.draw_references(len(self.new))
        records: dict[int, list[PendingRecord]] = {}
        for placeholder, completion in zip(number_placeholders(), self.new, strict=False):
            record = PendingRecord(placeholder, completion.activity_id, completion.achieved_on)
            records.setdefault(completion.person_id, []).append(record)
        self.projection = _stage_people(PendingFacts(records=records), tell)

    def write(self, at: datetime, by: int | None) -> None:
        """Record the new completions and write their projection under the lock.

        Raises:
            MovedError: Since the check one of them was recorded, one that was recorded no longer counts, or a
                kept row was erased.
        """
        if not lock_kept(self.ready_ids, at):
            raise MovedError
        if (
            completion_import.newest_record_id() != self.newest
            and completion_import.list_unrecorded(self.completions) != self.new
        ):
            raise MovedError
        recorded = len(self.completions) - len(self.new)
        references = completion_import.draw_references(len(self.new), self.references, self.newest)
        ids = completion_import.record_completions(self.new, at, references, held=recorded, by=by)
        if self.projection is not None:
            self.projection.write_rows(at, dict(zip(number_placeholders(), ids, strict=False)))
