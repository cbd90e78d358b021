"""Sends drafts for review by a second person, comments on them, sends them back and publishes them.

Every function locks the draft first, so that of two concurrent decisions the second is refused.
"""

from datetime import datetime

from sqlalchemy import select, update

from portal.domain.authoring import queries
from portal.domain.authoring.content_types import Version, subject_of
from portal.domain.authoring.errors import (
    DraftNotReadyError,
    DraftUnderReviewError,
    OutdatedDraftError,
    OwnWorkError,
    ReviewEndedError,
    UnchangedDraftError,
    UnshownMediaError,
)
from portal.domain.authoring.findings import collect
from portal.domain.authoring.models import Draft, DraftSave, Review, ReviewComment, ScheduledPublication
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.services import lock_draft
from portal.domain.catalogue.sources.validation import sha256_of
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import NotFoundError, RuleError


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
    return collect.count_findings(collect.collect_findings(state.key, reading, queries.draft_files(state)))[0]


def _unchanged_error(state: DraftState) -> RuleError | None:
    """The error where publishing would change nothing for readers; None where it would."""
    if state.base_version_id is None:
        return None
    published = subject_of(state.key).version_files(state.base_version_id)
    published_hashes = {path: sha256_of(content) for path, content in published.items()}
    if published_hashes == state.files:
        return UnchangedDraftError()
    return UnshownMediaError() if published_hashes == _publishable_hashes(state) else None


def _publishable_hashes(state: DraftState) -> dict[str, str]:
    """The hashes, by path, of the files that would be published: a guide's unused media are left out."""
    guides = queries.check_draft_hashes(state.key, state.files).guides
    published_files = guides[0].files if guides else state.files
    return {path: sha for path, sha in state.files.items() if path in published_files}


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
