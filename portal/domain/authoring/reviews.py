"""Sends drafts for review by a second person, comments on them, sends them back and publishes them.

Every function locks the draft first, so that of two concurrent decisions the second is refused.
"""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, select, update
from sqlalchemy.orm import aliased

from portal.domain.authoring import findings, queries
from portal.domain.authoring.content_types import Version, is_guide, subject_of
from portal.domain.authoring.errors import (
    DraftNotReadyError,
    DraftUnderReviewError,
    OutdatedDraftError,
    OwnWorkError,
    ReviewEndedError,
    UnchangedDraftError,
    UnshownMediaError,
)
from portal.domain.authoring.models import Draft, DraftSave, Review, ReviewComment, ScheduledPublication
from portal.domain.authoring.queries import SOMEONE, DraftState
from portal.domain.authoring.services import lock_draft
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.models import Activity, GuideVersion, ModuleVersion
from portal.domain.catalogue.module_check import is_same_content
from portal.domain.directives.applies import MinimumVersionRule
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import require_starter
from portal.domain.people.visibility import is_valid_on
from portal.domain.records.models import Acknowledgement, PassRecord, Record, Registration
from portal.domain.records.queries import list_people_with_records
from portal.domain.status.recording import pending_rule, preview_minimum, record_minimum
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    PortalError,
    RuleError,
    UnwritableError,
)
from portal.platform.jobs import services as jobs
from portal.platform.jobs.registry import Arguments, ItemFailures, JobProgress, Task
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import plural


def list_obstacles(state: DraftState) -> list[str]:
    """Reasons why a draft cannot be sent or published now, one sentence each."""
    reasons = []
    if state.is_behind:
        reasons.append(str(OutdatedDraftError(state.published_number)))
    elif error := _unchanged_error(state):
        reasons.append(str(error))
    if fault_count := _count_faults(state):
        reasons.append(str(DraftNotReadyError(fault_count)))
    return reasons


def send_for_review(draft_id: int, *, note: str, by: int, at: datetime) -> int:
    """Send the draft's last state for review; returns the review's id.

    Args:
        draft_id: The draft.
        note: Why, in the author's words.
        by: The person who sends it.
        at: The instant.

    Raises:
        RuleError: It is being reviewed, equals the published version, or has faults.
        ConflictError: A version newer than its base has been published, or the draft has ended.
    """
    draft = lock_draft(draft_id)
    if _open_review(draft_id) is not None:
        raise DraftUnderReviewError
    state = queries.get_draft(draft.module_key)
    refuse_unready(state)
    save_id = db.session.scalars(
        select(DraftSave.id).where(DraftSave.draft_id == draft_id, DraftSave.number == state.number)
    ).one()
    review = Review(draft_id=draft_id, save_id=save_id, sent_by_id=by, sent_at=at, note=note)
    db.session.add(review)
    db.session.flush()
    log("draft.sent_for_review", actor_id=by, module=draft.module_key, draft=draft_id, number=state.number)
    return review.id


def add_comment(review_id: int, place: str, text: str, *, by: int, at: datetime) -> None:
    """Comment on a place of the reviewed state.

    Raises:
        ConflictError: The review has ended.
    """
    review, draft = lock_review(review_id)
    db.session.add(ReviewComment(review_id=review.id, place=place, text=text, said_by_id=by, said_at=at))
    log("review.commented", actor_id=by, module=draft.module_key, draft=draft.id, place=place)
    db.session.flush()


def send_review_back(review_id: int, *, reason: str, by: int, at: datetime) -> None:
    """End the review without publishing, with a reason for the author.

    Raises:
        ConflictError: The review has ended.
    """
    _end_review(review_id, "sent_back", by, at).reason = reason
    db.session.flush()


def withdraw_review(review_id: int, *, by: int, at: datetime) -> None:
    """End the review for the author, so that the draft can be changed again.

    Raises:
        ConflictError: The review has ended.
    """
    _end_review(review_id, "withdrawn", by, at)
    db.session.flush()


def publish_review(review_id: int, *, by: int, at: datetime) -> Version:
    """Publish exactly the reviewed state, and end the draft.

    Nobody who has changed the draft may publish it, even if the change was undone. Older versions are never
    changed: people who started one finish it, and no pass changes.

    Args:
        review_id: The open review.
        by: The publisher.
        at: The current instant. The stamp is taken here, so that versions are numbered in sequence.

    Raises:
        ConflictError: The review has ended, or a version newer than the draft's base has been published.
        RuleError: The publisher has changed the draft, or it has faults.
    """
    stamp()
    review, draft = lock_review(review_id)
    if by in queries.editor_ids(draft.id):
        raise OwnWorkError
    refuse_unready(queries.get_draft(draft.module_key))
    files = queries.read_files(db.session.get_one(DraftSave, review.save_id).files)
    version = subject_of(draft.module_key).publish_files(files, at=at, by=by)
    if version is None:
        raise UnchangedDraftError
    draft.ended_at, draft.ended_as = at, "published"
    _close_review(review, "published", by, at)
    log("review.published", actor_id=by, module=draft.module_key, draft=draft.id, number=version.number)
    db.session.flush()
    return version


def refuse_unready(state: DraftState) -> None:
    """Refuse a draft that cannot be published as it is.

    Raises:
        ConflictError: A version newer than its base has been published.
        RuleError: It equals the published version, or has faults.
    """
    if state.is_behind:
        raise OutdatedDraftError(state.published_number)
    if error := _unchanged_error(state):
        raise error
    if fault_count := _count_faults(state):
        raise DraftNotReadyError(fault_count)


def _count_faults(state: DraftState) -> int:
    """The number of faults that block publishing, counted as on the pages."""
    reading = queries.check_draft_hashes(state.key, state.files)
    return findings.count_findings(findings.collect_findings(state.key, reading, queries.draft_files(state)))[
        0
    ]


def _unchanged_error(state: DraftState) -> RuleError | None:
    """The error where publishing would change nothing for readers; None where it would."""
    if state.base_version_id is None:
        return None
    published = subject_of(state.key).version_files(state.base_version_id)
    files = queries.draft_files(state)
    if is_same_content(published, files):
        return UnchangedDraftError()
    guides = queries.check_draft_hashes(
        state.key, state.files
    ).guides  # of a guide, unused media are left out
    shown = {path: content for path, content in files.items() if not guides or path in guides[0].files}
    return UnshownMediaError() if is_same_content(published, shown) else None


def _open_review(draft_id: int) -> Review | None:
    return db.session.scalar(
        select(Review)
        .where(Review.draft_id == draft_id, Review.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )


def lock_review(review_id: int) -> tuple[Review, Draft]:
    """The open review with its draft, locked to the end of the transaction."""
    draft_id = db.session.scalar(select(Review.draft_id).where(Review.id == review_id))
    if draft_id is None:
        raise NotFoundError("There is no such review.")
    draft = db.session.scalars(
        select(Draft).where(Draft.id == draft_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    review = db.session.get_one(Review, review_id, populate_existing=True)
    if review.ended_as is not None:
        raise ReviewEndedError(review.ended_as)
    return review, draft


def _end_review(review_id: int, how: str, by: int, at: datetime) -> Review:
    review, draft = lock_review(review_id)
    _close_review(review, how, by, at)
    log(f"review.{how}", actor_id=by, module=draft.module_key, draft=draft.id)
    return review


def _close_review(review: Review, how: str, by: int, at: datetime) -> None:
    """End a review, and what is scheduled of it."""
    db.session.execute(
        update(ScheduledPublication)
        .where(ScheduledPublication.review_id == review.id, ScheduledPublication.ended_at.is_(None))
        .values(ended_at=at, ended_as="published" if how == "published" else "cancelled")
    )
    review.ended_at, review.ended_as, review.ended_by_id = at, how, by


# Reads reviews, and the numbers of people that publishing would affect.


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on one place of a reviewed state."""

    place: str  # "details", "lesson:key", "item:key"; "": the whole draft
    text: str
    said_by: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewState:
    """One review of a draft, open or ended."""

    review_id: int
    draft_id: int
    key: str
    number: int  # of the state that was sent
    files: dict[str, str]  # of that state: path -> sha256
    base_version_id: int | None  # of its module or guide; None: new
    base_number: int | None
    sent_by_id: int
    sent_by: str
    sent_at: datetime
    note: str
    ended_at: datetime | None
    ended_as: str | None  # "published", "sent_back", "withdrawn"
    ended_by: str
    reason: str | None  # why it was sent back
    comments: list[Comment] = field(default_factory=list)

    def comments_on(self, place: str) -> list[Comment]:
        """Comments on one place, the oldest first."""
        return [comment for comment in self.comments if comment.place == place]


def latest_review(key: str) -> ReviewState:
    """The newest review of the module's open draft, whether or not it has ended."""
    sender, ender = aliased(PersonName), aliased(PersonName)
    row = db.session.execute(
        select(
            Review,
            Draft.module_key,
            DraftSave.number,
            DraftSave.files,
            func.coalesce(DraftSave.base_version_id, DraftSave.base_guide_version_id).label(
                "base_version_id"
            ),
            func.coalesce(ModuleVersion.number, GuideVersion.number).label("base_number"),
            func.coalesce(sender.full_name, SOMEONE).label("sent_by"),
            func.coalesce(ender.full_name, SOMEONE).label("ended_by"),
        )
        .join(Draft, Draft.id == Review.draft_id)
        .join(DraftSave, DraftSave.id == Review.save_id)
        .outerjoin(ModuleVersion, ModuleVersion.id == DraftSave.base_version_id)
        .outerjoin(GuideVersion, GuideVersion.id == DraftSave.base_guide_version_id)
        .outerjoin(sender, sender.person_id == Review.sent_by_id)
        .outerjoin(ender, ender.person_id == Review.ended_by_id)
        .where(Draft.module_key == key, Draft.ended_at.is_(None))
        .order_by(Review.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no review of “{key}”.")
    return _review_state(row, _list_comments(row.Review.id))


def _review_state(row: Row[*tuple[Any, ...]], comments: list[Comment]) -> ReviewState:
    review: Review = row.Review
    return ReviewState(
        review_id=review.id,
        draft_id=review.draft_id,
        key=row.module_key,
        number=row.number,
        files=row.files,
        base_version_id=row.base_version_id,
        base_number=row.base_number,
        sent_by_id=review.sent_by_id,
        sent_by=row.sent_by,
        sent_at=review.sent_at,
        note=review.note,
        ended_at=review.ended_at,
        ended_as=review.ended_as,
        ended_by=row.ended_by,
        reason=review.reason,
        comments=comments,
    )


def _list_comments(review_id: int) -> list[Comment]:
    name = func.coalesce(PersonName.full_name, SOMEONE)
    rows = db.session.execute(
        select(ReviewComment.place, ReviewComment.text, name, ReviewComment.said_at)
        .outerjoin(PersonName, PersonName.person_id == ReviewComment.said_by_id)
        .where(ReviewComment.review_id == review_id)
        .order_by(ReviewComment.id)
    )
    return [Comment(*row) for row in rows]


def drafts_waiting_for(person_id: int) -> set[int]:
    """The drafts in review that this person may publish: those they changed nothing in. One statement."""
    changed = select(DraftSave.id).where(
        DraftSave.draft_id == Draft.id, DraftSave.number > 1, DraftSave.saved_by_id == person_id
    )
    in_review = select(Review.id).where(Review.draft_id == Draft.id, Review.ended_at.is_(None))
    return set(
        db.session.scalars(
            select(Draft.id).where(Draft.ended_at.is_(None), exists(in_review), ~exists(changed))
        )
    )


def count_people_under_way(key: str) -> list[tuple[int, int]]:
    """Version numbers with the number of people working on each, the newest first.

    A person works on a version while they have a post and their latest registration on the module is on that
    version and has no pass. Publishing does not move them to the new version. One statement.
    """
    later = aliased(Registration)
    rows = db.session.execute(
        select(ModuleVersion.number, func.count(Registration.person_id.distinct()))
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .where(
            Activity.kind == "module",
            Activity.key == key,
            is_known_fact(Registration),
            _is_in_post(Registration.person_id),
            ~exists().where(PassRecord.registration_id == Registration.id),
            ~exists().where(
                and_(
                    later.person_id == Registration.person_id,
                    later.activity_id == Registration.activity_id,
                    later.id > Registration.id,
                    is_known_fact(later),
                )
            ),
        )
        .group_by(ModuleVersion.number)
        .order_by(ModuleVersion.number.desc())
    )
    return [(number, people) for number, people in rows]


def count_acknowledgements(key: str) -> list[tuple[int, int]]:
    """A guide’s version numbers with the number of people in post who acknowledged each last, newest first.

    If the next version requires acknowledgement, all of them must acknowledge again. One statement.
    """
    last = (
        select(func.max(Acknowledgement.record_id))
        .join(Record, Record.id == Acknowledgement.record_id)
        .join(Activity, Activity.id == Record.activity_id)
        .where(Activity.kind == "guide", Activity.key == subject_of(key).activity_key, is_known_fact(Record))
        .where(_is_in_post(Record.person_id))
        .group_by(Record.person_id)
    )
    rows = db.session.execute(
        select(GuideVersion.number, func.count())
        .join(Acknowledgement, Acknowledgement.guide_version_id == GuideVersion.id)
        .where(Acknowledgement.record_id.in_(last))
        .group_by(GuideVersion.number)
        .order_by(GuideVersion.number.desc())
    )
    return [(number, people) for number, people in rows]


def _is_in_post(person_id: Any) -> ColumnElement[bool]:
    """WHERE clause: the person has a post today."""
    return exists().where(Post.person_id == person_id, is_known_fact(Post), is_valid_on(Post, clock.today()))


# Publishing of a reviewed module that must be passed again; for many people, a job does it.

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
    """The rule that publishing the module's draft now would record."""
    current = None if is_guide(key) else version_cache.current_version(key)
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
        version = publish_review(choice.review_id, by=by, at=at)
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


# Publishing at a time to come: approved by the second person, done by a job, cancelled before.
#
# If no server ran at the time, the job publishes at its next run, and the version says when that was.

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
    """
    if publish_at <= at:
        raise RuleError("Enter a time to come. To publish now, use the button on the review.")
    if publish_at > at + LONGEST_WAIT:
        raise RuleError("Enter a time within a year.")
    review, draft = lock_review(review_id)
    if by in queries.editor_ids(draft.id):
        raise OwnWorkError
    refuse_unready(queries.get_draft(draft.module_key))
    if _open_schedule(review_id) is not None:
        raise ConflictError("It is scheduled already. Cancel that first.")
    row = ScheduledPublication(review_id=review.id, publish_at=publish_at, approved_by_id=by, approved_at=at)
    db.session.add(row)
    log("publication.scheduled", actor_id=by, module=draft.module_key, at=clock.format_utc(publish_at))
    db.session.flush()


def cancel_publication(review_id: int, *, by: int, at: datetime) -> None:
    """Cancel a scheduled publication; the review stays open."""
    _review, draft = lock_review(review_id)
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
        return _publish_scheduled(review_id)
    except (BusyError, UnwritableError):
        raise  # for a while; the next run tries again
    except PortalError as error:
        return _record_failure(review_id, str(error))


def _publish_scheduled(review_id: int) -> str:
    with transaction():
        row = _open_schedule(review_id)
        if row is None:
            return "It was cancelled meanwhile."
        refusal = "Whoever approved it may not publish any more. Somebody else can."
        require_starter(row.approved_by_id, Permission.VERSION_PUBLISH, refusal)
        version = publish_review(review_id, by=row.approved_by_id, at=clock.now())
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


SCHEDULE_TASKS = (
    Task(
        "authoring.scheduled",
        "Scheduled publications",
        publish_due,
        due=lambda: has_due_publications(clock.now()),
        rest=timedelta(minutes=1),
    ),
)
