"""Publishing at a time to come: approved by the second person, done by a job, cancelled before.

If no server ran at the time, the job publishes at its next run, and the version says when that was.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select

from portal.domain.authoring import queries
from portal.domain.authoring.errors import OwnWorkError
from portal.domain.authoring.models import Draft, Review, ScheduledPublication
from portal.domain.authoring.queries import SOMEONE
from portal.domain.authoring.reviews import services
from portal.domain.people.models import PersonName
from portal.domain.people.queries import require_starter
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError, ConflictError, PortalError, RuleError, UnwritableError
from portal.platform.jobs.items import ItemFailures
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task
from portal.platform.permissions import Permission

UNEXPECTED = "Something went wrong in the portal. Support finds the reason in its log."
LONGEST_WAIT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a reviewed state is to be published, or why that failed."""

    publish_at: datetime
    approved_by: str
    failed_because: str | None


def latest_schedule(review_id: int) -> Schedule | None:
    """The schedule of a review that waits, or failed last; None if there is none. One statement."""
    row = db.session.execute(
        select(
            ScheduledPublication.publish_at,
            func.coalesce(PersonName.full_name, SOMEONE).label("name"),
            ScheduledPublication.reason,
            ScheduledPublication.ended_as,
        )
        .outerjoin(PersonName, PersonName.person_id == ScheduledPublication.approved_by_id)
        .where(ScheduledPublication.review_id == review_id)
        .order_by(ScheduledPublication.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.ended_as in ("published", "cancelled"):
        return None
    return Schedule(row.publish_at, row.name, row.reason)


def schedule_publication(review_id: int, publish_at: datetime, *, by: int, at: datetime) -> None:
    """Approve a reviewed state, to be published at a time to come.

    Args:
        review_id: The open review.
        publish_at: When.
        by: The publisher, who changed nothing in the draft.
        at: Now.

    Raises:
        ConflictError: The review has ended, or it is scheduled already.
        RuleError: The time is not to come or more than a year away, or it may not be published by them.
    """
    if publish_at <= at:
        raise RuleError("Enter a time to come. To publish now, use the button on the review.")
    if publish_at > at + LONGEST_WAIT:
        raise RuleError("Enter a time within a year.")
    review, draft = services.lock_review(review_id)
    if by in queries.editor_ids(draft.id):
        raise OwnWorkError
    services.refuse_unready(queries.get_draft(draft.module_key))
    if _open_schedule(review_id) is not None:
        raise ConflictError("It is scheduled already. Cancel that first.")
    row = ScheduledPublication(review_id=review.id, publish_at=publish_at, approved_by_id=by, approved_at=at)
    db.session.add(row)
    log("publication.scheduled", actor_id=by, module=draft.module_key, at=clock.format_utc(publish_at))
    db.session.flush()


def cancel_publication(review_id: int, *, by: int, at: datetime) -> None:
    """Cancel a scheduled publication; the review stays open.

    Raises:
        ConflictError: It is not scheduled any more, or the review has ended.
    """
    _review, draft = services.lock_review(review_id)
    row = _open_schedule(review_id)
    if row is None:
        raise ConflictError("It is not scheduled any more.")
    row.ended_at, row.ended_as = at, "cancelled"
    log("publication.cancelled", actor_id=by, module=draft.module_key)
    db.session.flush()


def has_due_publications(now: datetime) -> bool:
    """Whether something is to be published now."""
    return bool(_due_reviews(now))


def _due_reviews(now: datetime) -> list[int]:
    return list(
        db.session.scalars(
            select(ScheduledPublication.review_id)
            .where(ScheduledPublication.ended_at.is_(None), ScheduledPublication.publish_at <= now)
            .order_by(ScheduledPublication.publish_at, ScheduledPublication.id)
        )
    )


def _open_schedule(review_id: int) -> ScheduledPublication | None:
    return db.session.scalar(
        select(ScheduledPublication)
        .where(ScheduledPublication.review_id == review_id, ScheduledPublication.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )


def publish_due(job: JobProgress, _arguments: Arguments) -> dict[str, Any]:
    """Publish what is due, each in a transaction of its own; what cannot be published says why."""
    reviews, sentences = _due_reviews(clock.now()), list[str]()
    failures = ItemFailures("publication")
    for number, review_id in enumerate(reviews):
        job.report_progress(number, len(reviews))
        with failures.of(review_id, partial(_record_failure, review_id, UNEXPECTED)):
            sentences.append(_publish_or_say_why(review_id))
    return failures.end_job(sentences or ["Nothing was to be published any more."])


def _publish_or_say_why(review_id: int) -> str:
    try:
        return _publish(review_id)
    except (BusyError, UnwritableError):
        raise  # for a while; the next run tries again
    except PortalError as error:
        return _record_failure(review_id, str(error))


def _publish(review_id: int) -> str:
    with transaction():
        row = _open_schedule(review_id)
        if row is None:
            return "It was cancelled meanwhile."
        refusal = "Whoever approved it may not publish any more. Somebody else can."
        require_starter(row.approved_by_id, Permission.VERSION_PUBLISH, refusal)
        version = services.publish_review(review_id, by=row.approved_by_id, at=clock.now())
        return f"Version {version.number} of {version.title.partition(':')[0]} is published."


def _record_failure(review_id: int, reason: str) -> str:
    """Record why it could not be published; the review stays open, and its page says so."""
    with transaction():
        row = _open_schedule(review_id)
        if row is None:
            return reason
        row.ended_at, row.ended_as, row.reason = clock.now(), "failed", reason
        key = db.session.scalar(
            select(Draft.module_key).join(Review, Review.draft_id == Draft.id).where(Review.id == review_id)
        )
        log("publication.failed", actor_id=None, module=key)
        return f"Not published: {reason}"


TASKS = (
    Task(
        "authoring.scheduled",
        "Scheduled publications",
        publish_due,
        due=lambda: has_due_publications(clock.now()),
        rest=timedelta(minutes=1),
    ),
)
