"""Publishing of a reviewed module that must be passed again; for many people, a job does it."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from portal.domain.authoring.content_types import is_guide
from portal.domain.authoring.reviews import services
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.minimum_versions import MinimumVersionRule
from portal.domain.people.queries import require_starter
from portal.domain.records.queries import list_people_with_records
from portal.domain.status.minimum_versions import (
    pending_rule,
    preview_minimum,
    record_minimum,
)
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Task
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

KIND = "authoring.publish-again"  # in the table of jobs: never changed
MOST_PEOPLE = 2_000  # with a record of the module; of more, a job does it, so that no browser waits


@dataclass(frozen=True, slots=True)
class PassAgain:
    """The choice, as it was previewed and confirmed."""

    key: str  # the module's
    review_id: int
    from_on: str  # ISO 8601: the first day on which older passes do not count
    people: int  # who would no longer be complete on that day, as previewed
    decided_at: str  # ISO 8601


def propose_minimum(key: str, from_on: date, today: date) -> MinimumVersionRule:
    """The rule that publishing the module's draft now would record.

    Raises:
        RuleError: It is a guide, or nothing of it is published yet; or the day is not to come.
    """
    current = None if is_guide(key) else catalogue.current_version(key)
    if current is None:
        raise RuleError("Only a module that is published already can be asked for again.")
    if from_on <= today:
        raise RuleError("Enter a day to come: nobody is made incomplete without notice.")
    return pending_rule(current.activity_id, current.number + 1, announced_on=today, from_on=from_on)


def publish_and_ask_again(choice: PassAgain, *, by: int) -> str | UUID:
    """Publish what was reviewed, and let older passes count only until the day. Edge only, in no transaction.

    Returns:
        What was done; or the reference of the job that does it.

    Raises:
        ConflictError: It would concern other people than was previewed, or the review has ended.
        RuleError: As ``propose_minimum`` and ``publish_review`` do.
    """
    rule = _checked_rule(choice)
    if len(list_people_with_records(rule.activity_id)) > MOST_PEOPLE:
        with transaction():
            return jobs.start_job(KIND, asdict(choice), by=by, at=clock.now())
    return _publish(choice, rule, by=by)


def _checked_rule(choice: PassAgain) -> MinimumVersionRule:
    decided_on = clock.london_day(datetime.fromisoformat(choice.decided_at))
    rule = propose_minimum(choice.key, date.fromisoformat(choice.from_on), decided_on)
    effect = preview_minimum(rule)
    if effect.people != choice.people:
        raise ConflictError(
            "Meanwhile something was recorded, and it would concern "
            f"{plural(effect.people, 'person', 'people')}. Nothing was published. Look at it again."
        )
    return rule


def _publish(choice: PassAgain, rule: MinimumVersionRule, *, by: int, **progress: Any) -> str:
    at = datetime.fromisoformat(choice.decided_at)

    def publish() -> tuple[int, str]:
        version = services.publish_review(choice.review_id, by=by, at=at)
        if not isinstance(version, ModuleVersion) or version.number != rule.number:
            raise ConflictError("Another version was published meanwhile. Look at the review again.")
        title = version.title.partition(":")[0]
        day = say_date(rule.from_on)
        return version.id, (
            f"Version {version.number} of {title} is published. From {day} only a pass of it or a later "
            f"version counts, which {plural(choice.people, 'person', 'people')} will need."
        )

    said: str = record_minimum(rule, publish, by=by, **progress)
    return said


def run_publication(job: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Publish what somebody confirmed, if they still may."""
    choice = PassAgain(**arguments)
    refusal = "The person who started this may no longer publish."
    by = require_starter(job.asked_by_id, Permission.VERSION_PUBLISH, refusal).person_id
    job.report_progress(0, 1, "Working out whom it concerns")
    result: dict[str, Any] = {}

    def conclude(said: str) -> None:
        result["said"] = [said]
        job.conclude_job(result)

    def tell(done: int, total: int) -> None:
        job.report_progress(done, total, f"Worked out {done:,} of {total:,} people")

    _publish(choice, _checked_rule(choice), by=by, tell=tell, conclude=conclude)
    return result


TASKS = (
    Task(
        KIND,
        "Publication of a module that must be passed again",
        run_publication,
        page=lambda arguments: f"/authoring/{arguments['key']}",
    ),
)
