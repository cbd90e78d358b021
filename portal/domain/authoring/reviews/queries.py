"""Reads reviews, and the numbers of people that publishing would affect."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, select
from sqlalchemy.orm import aliased

from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.models import Draft, DraftSave, Review, ReviewComment
from portal.domain.authoring.queries import SOMEONE
from portal.domain.catalogue.models import Activity, GuideVersion, ModuleVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.records.models import Acknowledgement, PassRecord, Record, Registration
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError


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
    """The newest review of the module's open draft, whether or not it has ended.

    Raises:
        NotFoundError: There is no open draft, or it has never been sent.
    """
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
