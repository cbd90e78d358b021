"""From a draft to a published version: sent, read by a second person, sent back or published.

Every function locks the draft first, so that of two people who decide at once one is told.
"""

from datetime import datetime

from sqlalchemy import select

from portal.domain.authoring import queries
from portal.domain.authoring.content_types import Version, subject
from portal.domain.authoring.errors import (
    BehindError,
    NotReadyError,
    OwnWorkError,
    ReviewEndedError,
    UnchangedError,
    UnderReviewError,
    UnshownError,
)
from portal.domain.authoring.findings import collect
from portal.domain.authoring.models import Draft, DraftSave, Review, ReviewComment
from portal.domain.authoring.queries import DraftState
from portal.domain.authoring.services import locked
from portal.domain.catalogue.sources.validation import sha256
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import NotFoundError, RuleError


def obstacles(state: DraftState) -> list[str]:
    """Why a draft cannot be sent or published now, a sentence for each reason."""
    found = []
    if state.behind:
        found.append(str(BehindError(state.published_number)))
    elif unchanged := _unchanged(state):
        found.append(str(unchanged))
    if wrong := _to_put_right(state):
        found.append(str(NotReadyError(wrong)))
    return found


def send(draft_id: int, *, note: str, by: int, at: datetime) -> int:
    """Send the draft as it stands to a second person; returns the review's id.

    Args:
        draft_id: The draft.
        note: Why, in the author's words.
        by: The person who sends it.
        at: The instant.

    Raises:
        RuleError: It is being reviewed, it says what is published, or something is to be put right.
        ConflictError: A version was published after the one it is based on, or the draft has ended.
    """
    draft = locked(draft_id)
    if _open(draft_id) is not None:
        raise UnderReviewError
    state = queries.draft(draft.module_key)
    _refuse(state)
    save_id = db.session.scalars(
        select(DraftSave.id).where(DraftSave.draft_id == draft_id, DraftSave.number == state.number)
    ).one()
    review = Review(draft_id=draft_id, save_id=save_id, sent_by_id=by, sent_at=at, note=note)
    db.session.add(review)
    db.session.flush()
    log("draft.sent_for_review", actor_id=by, module=draft.module_key, draft=draft_id, number=state.number)
    return review.id


def comment(review_id: int, place: str, text: str, *, by: int, at: datetime) -> None:
    """Say something about a place of what is reviewed.

    Raises:
        ConflictError: The review has ended.
    """
    review, draft = _locked_review(review_id)
    db.session.add(ReviewComment(review_id=review.id, place=place, text=text, said_by_id=by, said_at=at))
    log("review.commented", actor_id=by, module=draft.module_key, draft=draft.id, place=place)
    db.session.flush()


def send_back(review_id: int, *, reason: str, by: int, at: datetime) -> None:
    """End the review without publishing; the author reads why and goes on.

    Raises:
        ConflictError: The review has ended.
    """
    _end(review_id, "sent_back", by, at).reason = reason
    db.session.flush()


def withdraw(review_id: int, *, by: int, at: datetime) -> None:
    """End the review on the author's side, so that the draft can be changed again.

    Raises:
        ConflictError: The review has ended.
    """
    _end(review_id, "withdrawn", by, at)
    db.session.flush()


def publish(review_id: int, *, by: int, at: datetime) -> Version:
    """Publish exactly the state that was reviewed, and end the draft.

    Nobody publishes what they changed themselves, whatever of it was undone. Rows of older versions are
    never touched: people who began one finish it, and no pass changes.

    Args:
        review_id: The review that the publisher has read.
        by: The publisher.
        at: Now. The stamp is taken here, so that versions get their numbers one after the other.

    Raises:
        ConflictError: The review has ended, or another version was published meanwhile.
        RuleError: The publisher changed the draft, or the check finds something to put right.
    """
    stamp()
    review, draft = _locked_review(review_id)
    if by in queries.changed_by(draft.id):
        raise OwnWorkError
    _refuse(queries.draft(draft.module_key))
    files = queries.files_of(db.session.get_one(DraftSave, review.save_id).files)
    version = subject(draft.module_key).publish(files, at=at, by=by)
    if version is None:
        raise UnchangedError
    draft.ended_at, draft.ended_as = at, "published"
    _close(review, "published", by, at)
    log("review.published", actor_id=by, module=draft.module_key, draft=draft.id, number=version.number)
    db.session.flush()
    return version


def _refuse(state: DraftState) -> None:
    if state.behind:
        raise BehindError(state.published_number)
    if unchanged := _unchanged(state):
        raise unchanged
    if wrong := _to_put_right(state):
        raise NotReadyError(wrong)


def _to_put_right(state: DraftState) -> int:
    """How many things stand in the way, counted as the pages show them."""
    reading = queries.reading_of(state.key, state.files)
    return collect.counts(collect.findings(state.key, reading, queries.contents(state)))[0]


def _unchanged(state: DraftState) -> RuleError | None:
    """Why there is nothing to review; None where publishing would make a version that says something else."""
    if state.base_version_id is None:
        return None
    published = subject(state.key).files_of(state.base_version_id)
    held = {path: sha256(content) for path, content in published.items()}
    if held == state.files:
        return UnchangedError()
    return UnshownError() if held == _to_publish(state) else None


def _to_publish(state: DraftState) -> dict[str, str]:
    """The draft's hashes by path, of a guide's media those that it shows: no other is published."""
    guides = queries.reading_of(state.key, state.files).guides
    kept = guides[0].files if guides else state.files
    return {path: sha for path, sha in state.files.items() if path in kept}


def _open(draft_id: int) -> Review | None:
    return db.session.scalar(
        select(Review)
        .where(Review.draft_id == draft_id, Review.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )


def _locked_review(review_id: int) -> tuple[Review, Draft]:
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


def _end(review_id: int, how: str, by: int, at: datetime) -> Review:
    review, draft = _locked_review(review_id)
    _close(review, how, by, at)
    log(f"review.{how}", actor_id=by, module=draft.module_key, draft=draft.id)
    return review


def _close(review: Review, how: str, by: int, at: datetime) -> None:
    review.ended_at, review.ended_as, review.ended_by_id = at, how, by
