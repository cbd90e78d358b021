"""Tables of imports: files, how they ended, column mappings and kept rows.

Ordinary rows, not facts; the facts are what an import writes. An import's row stays; its file is deleted
within a week.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.platform.db import Base, BigId


class ImportRun(Base):
    """One file to import: how it is read, what it would do, and how it ended."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("kind IN ('roster', 'completions')", name="kind_is_known"),
        CheckConstraint("ended_as IN ('applied', 'cancelled', 'lapsed')", name="end_is_known"),
        Index("ix_import_run_began_at", "began_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    shape: Mapped[str]  # what a row of the file is: "post", "completion", "person"
    file_name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]  # bytes
    rows: Mapped[int]
    began_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command, or the folder
    from_folder: Mapped[bool] = mapped_column(default=False, server_default=false())  # the watched folder
    began_at: Mapped[datetime]
    columns: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # a ColumnMapping; None: not matched yet
    profile: Mapped[str | None]  # the name of the saved mapping that was used
    digest: Mapped[str | None]  # of the last check's result; None: not checked yet
    checked_at: Mapped[datetime | None]
    bad_rows: Mapped[int | None]  # of the last check
    report: Mapped[dict[str, Any] | None] = deferred(mapped_column(JSON))  # the last check's result
    job_id: Mapped[UUID | None]  # the latest job that checks or applies it
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    numbers: Mapped[dict[str, int] | None] = mapped_column(JSON)  # what was written, once applied
    stamp: Mapped[datetime | None]  # recorded_at of the facts it wrote; None: it wrote none


class ImportContent(Base):
    """The bytes of a file that waits, or of a profile's last applied file, for a week."""

    __tablename__ = "import_content"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportProfile(Base):
    """A column mapping, saved under a name for the next file from the same system."""

    __tablename__ = "import_profile"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    columns: Mapped[dict[str, Any]] = mapped_column(JSON)  # a ColumnMapping
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime]


class KeptRow(Base):
    """A completion of somebody who is not on the roster, kept under a profile that says so.

    When it ends, what it says of a person is deleted; its mark stays, so that it is not kept once more.
    """

    __tablename__ = "kept_row"
    __table_args__ = (
        UniqueConstraint("mark"),
        CheckConstraint("ended_as IN ('recorded', 'lapsed', 'erased')", name="end_is_known"),
        CheckConstraint("(ended_at IS NULL) = (identifier IS NOT NULL)", name="ended_names_nobody"),
        Index("ix_kept_row_kept_at", "kept_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mark: Mapped[str]  # a keyed hash of who, what and when
    profile: Mapped[str]
    kept_at: Mapped[datetime]
    scheme: Mapped[str | None]  # of the identifier
    identifier: Mapped[str | None]
    content: Mapped[dict[str, str] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # as documented files have it
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a job or a command
