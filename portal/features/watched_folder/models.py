"""Tables of the watched folder: its files, and the latest look at it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class FolderFile(Base):
    """One file that was taken from the watched folder, and what became of it.

    ``place`` is where it lies, or is being moved to; once ``moved``, the row does not change any more,
    but for its names, which a disposal removes.
    """

    __tablename__ = "folder_file"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'imported', 'repeated', 'quarantined')", name="state_is_known"),
        Index("ix_folder_file_kind_profile", "kind", "profile", "sha256"),
        Index("ix_folder_file_moved", "moved"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    profile: Mapped[str]  # the name of the sub-folder
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[str | None]  # None: it was not opened
    state: Mapped[str]  # waiting: for a person
    reasons: Mapped[list[str]] = mapped_column(
        JSON
    )  # why it waits or was set aside; without values of the file
    asks_values: Mapped[bool]  # whether a person is to say what values of it mean
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("import_run.id"))
    taken_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    place: Mapped[str]  # below the folder's root
    moved: Mapped[bool]


class FolderLook(Base):
    """The latest look at the watched folder: one row."""

    __tablename__ = "folder_look"

    id: Mapped[int] = mapped_column(primary_key=True)
    looked_at: Mapped[datetime]
    fault: Mapped[str]  # why the folder cannot be used; empty if it can
    arrived: Mapped[int]  # files that are not taken yet
    refused: Mapped[list[str]] = mapped_column(JSON)  # what is never taken, a sentence each
