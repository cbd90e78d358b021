"""Imports on their way in: what follows from them is staged before the lock, so that nobody waits for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.domain.directives import preview
from portal.domain.directives.pending import PendingFacts, PendingRecord, number_placeholders
from portal.domain.directives.preview import PendingRoster, build_pending_roster
from portal.domain.imports.check_result import MovedError, Tell
from portal.domain.people.roster import store
from portal.domain.people.roster.plan import RosterPlan
from portal.domain.people.roster.store import PlanBasis
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.domain.status.projector import StagedProjection, stage_projection


def _stage_people(pending: PendingFacts, tell: Tell) -> StagedProjection:
    """Stage what follows for all people of these facts."""
    people = {*pending.posts, *pending.records}
    return stage_projection(
        people, pending, lambda done, every: tell(2, f"Worked out {done:,} of {every:,} people")
    )


@dataclass(slots=True)
class StagedRoster:
    """A roster's plan, what it rests on, and what follows from it."""

    plan: RosterPlan
    basis: PlanBasis
    directives: str  # as ``preview.basis`` gives it
    roster: PendingRoster | None = None
    projection: StagedProjection | None = None

    def stage(self, tell: Tell) -> None:
        """Compute, without a lock, the assignments and status periods that follow."""
        self.roster = build_pending_roster(self.plan.post_changes, self.plan.unit_plan)
        self.projection = _stage_people(self.roster.facts, tell)

    def write(self, at: datetime, by: int | None) -> None:
        """Write the plan under the lock, with what follows from it.

        Raises:
            MovedError: Since the check something was recorded that the plan rests on.
        """
        if store.read_plan_basis() != self.basis or preview.preview_basis() != self.directives:
            raise MovedError
        written = store.write_plan(self.plan, at, by=by)
        if self.roster is not None and self.projection is not None:
            self.projection.write_rows(at, self.roster.real_ids(written))


@dataclass(slots=True)
class StagedCompletions:
    """Completions of a file, and what follows from those that are new."""

    every: Sequence[ImportedCompletion]  # all that the file says
    fresh: Sequence[ImportedCompletion]  # of these, what is not held
    newest: int  # the newest record when that was found out, or one before it
    projection: StagedProjection | None = None
    references: Sequence[str] = ()  # drawn for them

    def stage(self, tell: Tell) -> None:
        """Draw references and compute the status periods that follow, without a lock."""
        self.references = completion_import.draw_references(len(self.fresh))
        records: dict[int, list[PendingRecord]] = {}
        for placeholder, one in zip(number_placeholders(), self.fresh, strict=False):
            record = PendingRecord(placeholder, one.activity_id, one.achieved_on)
            records.setdefault(one.person_id, []).append(record)
        self.projection = _stage_people(PendingFacts(records=records), tell)

    def write(self, at: datetime, by: int | None) -> None:
        """Record them under the lock, with what follows from them.

        Raises:
            MovedError: Since the check one of them was recorded, or one that was held no longer is.
        """
        if (
            completion_import.newest_record_id() != self.newest
            and completion_import.list_unrecorded(self.every) != self.fresh
        ):
            raise MovedError
        held = len(self.every) - len(self.fresh)
        drawn = completion_import.draw_references(len(self.fresh), self.references, self.newest)
        ids = completion_import.record_completions(self.fresh, at, drawn, held=held, by=by)
        if self.projection is not None:
            self.projection.write_rows(at, dict(zip(number_placeholders(), ids, strict=False)))
