"""Stages imports: what follows is computed before the lock, and where it is much, written in slices ahead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.domain.directives import preview
from portal.domain.directives.pending import PendingFacts, PendingRecord, number_placeholders
from portal.domain.directives.preview import PendingRoster, build_pending_roster
from portal.domain.imports import kept_rows
from portal.domain.imports.check_result import MovedError, Tell
from portal.domain.people.roster import store
from portal.domain.people.roster.plan import RosterPlan
from portal.domain.people.roster.store import PlanBasis, RosterIds
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.domain.status.ahead import LostClaimError
from portal.domain.status.issuing import MOST_AT_ONCE, OutdatedError, record_ahead
from portal.domain.status.projector import StagedProjection, stage_projection
from portal.platform.bulk_writing import enlarged_page_cache
from portal.platform.db import transaction


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
        self.ids = store.give_ids(self.plan)
        return self.roster.real_ids(self.ids) if self.roster else {}

    def _refuse_moved(self) -> None:
        if store.read_plan_basis() != self.basis or preview.preview_basis() != self.directives:
            raise MovedError

    def write(self, at: datetime, by: int | None) -> None:
        """Write the plan and the rest of its projection under the lock.

        Raises:
            MovedError: Since the check something was recorded that the plan is based on.
        """
        self._refuse_moved()
        written = store.write_plan(self.plan, at, by=by, ids=self.ids)
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
        if not kept_rows.lock_kept(self.ready_ids, at):
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
