"""Stages imports: their projection is computed before the lock, so that others wait only for its writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.domain.directives import preview
from portal.domain.directives.pending import PendingFacts, PendingRecord, number_placeholders
from portal.domain.directives.preview import PendingRoster, build_pending_roster
from portal.domain.imports import kept_rows
from portal.domain.imports.check_result import MovedError, Tell
from portal.domain.people.roster import store
from portal.domain.people.roster.plan import RosterPlan
from portal.domain.people.roster.store import PlanBasis
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.domain.status.projector import StagedProjection, stage_projection


def _stage_people(pending: PendingFacts, tell: Tell) -> StagedProjection:
    """Stage the projection of all people of these facts."""
    people = {*pending.posts, *pending.records}
    return stage_projection(
        people, pending, lambda done, total: tell(2, f"Worked out {done:,} of {total:,} people")
    )


@dataclass(slots=True)
class StagedRoster:
    """A roster's plan, the state of the database that it is based on, and its projection."""

    plan: RosterPlan
    basis: PlanBasis
    directives: str  # as ``preview.basis`` gives it
    roster: PendingRoster | None = None
    projection: StagedProjection | None = None

    def stage(self, tell: Tell) -> None:
        """Compute the assignments and status periods that follow, without a lock."""
        self.roster = build_pending_roster(self.plan.post_changes, self.plan.unit_plan)
        self.projection = _stage_people(self.roster.facts, tell)

    def write(self, at: datetime, by: int | None) -> None:
        """Write the plan and its projection under the lock.

        Raises:
            MovedError: Since the check something was recorded that the plan is based on.
        """
        if store.read_plan_basis() != self.basis or preview.preview_basis() != self.directives:
            raise MovedError
        written = store.write_plan(self.plan, at, by=by)
        if self.roster is not None and self.projection is not None:
            self.projection.write_rows(at, self.roster.real_ids(written))


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
