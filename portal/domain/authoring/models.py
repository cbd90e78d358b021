"""Drafts of modules and guides: the states they were saved in, who is editing them, and their reviews.

Drafts are ordinary rows, not facts: only publishing makes a fact. A saved state is never changed either,
so any of them can be brought back.
"""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class Draft(Base):
    """Work on the next version of one module or guide, which has at most one that is open."""

    __tablename__ = "draft"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'discarded')", name="end_is_known"),
        Index(
            "uq_draft_module_key_open",
            "module_key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module_key: Mapped[str]  # of the activity, new when it is first published; a guide's below "_guides/"
    base_version_id: Mapped[int | None] = mapped_column(ForeignKey("module_version.id"))  # None: new
    base_guide_version_id: Mapped[int | None] = mapped_column(ForeignKey("guide_version.id"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]

    @property
    def base_id(self) -> int | None:
        """The version of its module, or of its guide, that it is based on; None: it is new."""
        return self.base_version_id or self.base_guide_version_id


class DraftContent(Base):
    """The bytes of a draft's file, kept once however many states hold them."""

    __tablename__ = "draft_content"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class DraftSave(Base):
    """One saved state of a draft: every file of the folder by its content's hash."""

    __tablename__ = "draft_save"
    __table_args__ = (UniqueConstraint("draft_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    number: Mapped[int]  # counts from 1 within the draft; 1 is what the draft began with
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime]
    summary: Mapped[str]  # what was done, in a few words
    base_version_id: Mapped[int | None] = mapped_column(ForeignKey("module_version.id"))
    base_guide_version_id: Mapped[int | None] = mapped_column(ForeignKey("guide_version.id"))
    files: Mapped[dict[str, str]] = mapped_column(JSON)  # path -> sha256


class Presence(Base):
    """Who is editing one place of a draft; taking over replaces the person."""

    __tablename__ = "draft_presence"
    __table_args__ = (UniqueConstraint("draft_id", "place"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    place: Mapped[str]  # "details", "lesson:key", "item:key"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


class Review(Base):
    """One saved state sent to a second person; a draft has at most one that is open."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'sent_back', 'withdrawn')", name="end_is_known"),
        Index(
            "uq_review_draft_id_open",
            "draft_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    save_id: Mapped[int] = mapped_column(ForeignKey("draft_save.id"))
    sent_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    sent_at: Mapped[datetime]
    note: Mapped[str]  # why, in the author's words
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str | None]  # why it was sent back


class ReviewComment(Base):
    """What a reader of a review says about one place of it."""

    __tablename__ = "review_comment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), index=True)
    place: Mapped[str]  # as in Presence; "": the whole
    text: Mapped[str]
    said_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    said_at: Mapped[datetime]
