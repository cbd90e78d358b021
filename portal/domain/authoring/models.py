"""Tables of drafts of modules and guides: saved states, active editors and reviews.

Drafts are ordinary rows, not facts: only publishing records a fact. A saved state is never changed, so any of
them can be restored.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, db, unique_index
from portal.platform.errors import NotFoundError


class Draft(Base):
    """Work on the next version of one module or guide, which has at most one open draft."""

    __tablename__ = "draft"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'discarded')", name="end_is_known"),
        unique_index("uq_draft_module_key_open", "module_key", where="ended_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module_key: Mapped[str]  # the activity's key, which may not exist yet; a guide's begins with "_guides/"
    base_version_id: Mapped[int | None] = mapped_column(ForeignKey("module_version.id"))  # None: new
    base_guide_version_id: Mapped[int | None] = mapped_column(ForeignKey("guide_version.id"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]

    @property
    def base_id(self) -> int | None:
        """The module or guide version that it is based on; None for a new one."""
        return self.base_version_id or self.base_guide_version_id


class DraftContent(Base):
    """The bytes of draft files, stored once per content."""

    __tablename__ = "draft_content"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class DraftSave(Base):
    """One saved state of a draft: the hash of every file in the folder."""

    __tablename__ = "draft_save"
    __table_args__ = (UniqueConstraint("draft_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    number: Mapped[int]  # counts from 1 within the draft; 1 is the initial state
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime]
    summary: Mapped[str]  # what was done, in a few words
    base_version_id: Mapped[int | None] = mapped_column(ForeignKey("module_version.id"))
    base_guide_version_id: Mapped[int | None] = mapped_column(ForeignKey("guide_version.id"))
    files: Mapped[dict[str, str]] = mapped_column(JSON)  # path -> sha256


class Presence(Base):
    """The person editing one place of a draft; taking over replaces the person."""

    __tablename__ = "draft_presence"
    __table_args__ = (UniqueConstraint("draft_id", "place"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    place: Mapped[str]  # "details", "lesson:key", "item:key"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


class Review(Base):
    """One saved state sent to a second person for review; a draft has at most one open review."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'sent_back', 'withdrawn')", name="end_is_known"),
        unique_index("uq_review_draft_id_open", "draft_id", where="ended_at IS NULL"),
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
    """A comment on one place of a reviewed state."""

    __tablename__ = "review_comment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), index=True)
    place: Mapped[str]  # as in Presence; "": the whole draft
    text: Mapped[str]
    said_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    said_at: Mapped[datetime]


class ScheduledPublication(Base):
    """A reviewed state that a second person approved, to be published at a time to come."""

    __tablename__ = "scheduled_publication"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'cancelled', 'failed')", name="end_is_known"),
        unique_index("uq_scheduled_publication_review_id_open", "review_id", where="ended_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    publish_at: Mapped[datetime]
    approved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    reason: Mapped[str | None]  # why it could not be published


# Reads the contents of drafts' files by their hash.


def read_content(sha256: str) -> bytes:
    """The content with this hash."""
    stored = db.session.scalar(select(DraftContent.content).where(DraftContent.sha256 == sha256))
    if stored is None:
        raise NotFoundError("There is no such file.")
    return stored


def read_files(files: Mapping[str, str]) -> dict[str, bytes]:
    """The contents of a state's files by path, in order of path; one statement."""
    rows = db.session.execute(
        select(DraftContent.sha256, DraftContent.content).where(DraftContent.sha256.in_(set(files.values())))
    )
    contents = {sha: content for sha, content in rows}
    return {path: contents[files[path]] for path in sorted(files)}


def content_sizes(hashes: Collection[str]) -> dict[str, int]:
    """The sizes in bytes of the stored contents, by hash."""
    rows = db.session.execute(
        select(DraftContent.sha256, func.length(DraftContent.content)).where(DraftContent.sha256.in_(hashes))
    )
    return {sha: size for sha, size in rows}
