"""Issues and withdraws directive versions as a page previewed them: at once, or by a job for many."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from portal.domain.directives import toml_reader
from portal.domain.directives.assignments import list_people_with_posts
from portal.domain.directives.proposals import (
    Proposal,
    propose_version,
    propose_version_withdrawal,
    propose_withdrawal,
)
from portal.domain.directives.scope import refuse_outside_own_units
from portal.domain.directives.services import Confirmation, IssueResult
from portal.domain.people.queries import require_starter
from portal.domain.status.issuing import record_version
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Task
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date

KIND = "directives.issue"  # in the table of jobs: never changed
MOST_PEOPLE = 2_000  # with posts; in a larger force a job does it, so that no browser waits


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What is to be issued or withdrawn: one of ``toml``, ``withdrawn_from`` and ``number`` says which."""

    reference: str
    previewed: str  # the token of the preview that was confirmed
    decided_at: str  # ISO 8601, when it was confirmed
    toml: str = ""  # of the version to issue
    withdrawn_from: str = ""  # ISO 8601, the first day on which the directive is withdrawn
    number: int = 0  # of the version to withdraw before it takes effect

    def make_proposal(self) -> Proposal:
        """The version that it would record now."""
        if self.toml:
            return propose_version(toml_reader.read_directive(self.toml.encode()))
        if self.withdrawn_from:
            return propose_withdrawal(self.reference, date.fromisoformat(self.withdrawn_from))
        decided_on = clock.london_day(datetime.fromisoformat(self.decided_at))
        return propose_version_withdrawal(self.reference, self.number, decided_on)

    def confirmed_by(self, person_id: int | None) -> Confirmation:
        """That a person confirmed it."""
        return Confirmation(datetime.fromisoformat(self.decided_at), person_id, self.previewed)

    def describe_outcome(self, issued: IssueResult) -> str:
        """A sentence on what was done."""
        day = say_date(issued.effective_on)
        if self.toml:
            outcome = "is issued and in force from" if issued.new else "already says this, in force from"
            return f"Version {issued.number} of {issued.reference} {outcome} {day}."
        if self.withdrawn_from:
            return f"{issued.reference} is withdrawn from {day}. Its versions stay."
        return f"Version {self.number} of {self.reference} is withdrawn. It will not take effect."


def make_change(change: VersionChange, *, by: int) -> str | UUID:
    """Make a change, or start a job that does. Edge only, outside a transaction.

    Returns:
        What was done; or the reference of the job.
    """
    if len(list_people_with_posts()) > MOST_PEOPLE:
        with transaction():
            return jobs.start_job(KIND, asdict(change), by=by, at=clock.now())
    return change.describe_outcome(record_version(change.make_proposal, change.confirmed_by(by)))


def run_change(job: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a change that somebody confirmed, if they still may."""
    change, by = VersionChange(**arguments), job.asked_by_id
    refusal = "The person who started this may no longer issue directives."
    viewer = require_starter(by, Permission.DIRECTIVE_ISSUE, refusal)
    refuse_outside_own_units(viewer, change.make_proposal())
    job.report_progress(0, 1, "Working out whom it applies to")
    result: dict[str, Any] = {}

    def conclude(issued: IssueResult) -> None:
        result["said"] = [change.describe_outcome(issued)]
        job.conclude_job(result)

    def tell(done: int, total: int) -> None:
        job.report_progress(done, total, f"Worked out {done:,} of {total:,} people")

    record_version(change.make_proposal, change.confirmed_by(by), tell=tell, conclude=conclude)
    return result


TASK = Task(
    KIND, "Issue of a directive", run_change, page=lambda arguments: f"/directives/{arguments['reference']}"
)
