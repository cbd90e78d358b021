"""Queries about files of the watched folder: which wait, which were imported, and what the page shows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from portal.domain.imports.models import FolderFile, FolderLook, ImportRun
from portal.platform.db import db
from portal.platform.watched_folder.files import FolderEntry

SHOWN_FOR = timedelta(days=7)  # a file that was set aside
MOST_SHOWN = 20


def find_open_file(entry: FolderEntry) -> FolderFile | None:
    """The file of this place that waits for a person, or whose move was cut off."""
    return db.session.scalar(
        select(FolderFile).where(
            FolderFile.moved.is_(False),
            FolderFile.kind == entry.kind,
            FolderFile.profile == entry.profile,
            FolderFile.name == entry.name,
        )
    )


def list_open_files() -> list[FolderFile]:
    """The files that wait for a person, and those whose move was cut off; the oldest first."""
    return list(
        db.session.scalars(select(FolderFile).where(FolderFile.moved.is_(False)).order_by(FolderFile.id))
    )


def list_answered_files() -> list[tuple[FolderFile, ImportRun]]:
    """The files that waited for a person and whose import has ended."""
    statement = (
        select(FolderFile, ImportRun)
        .join(ImportRun, ImportRun.id == FolderFile.run_id)
        .where(FolderFile.moved.is_(False), FolderFile.state == "waiting", ImportRun.ended_at.is_not(None))
        .order_by(FolderFile.id)
    )
    return [(file, run) for file, run in db.session.execute(statement)]


def list_held_up_profiles() -> set[tuple[str, str]]:
    """Kind and profile of which a file waits: later files wait until it is settled, so that order is kept."""
    rows = db.session.execute(select(FolderFile.kind, FolderFile.profile).where(FolderFile.moved.is_(False)))
    return {(kind, profile) for kind, profile in rows}


@dataclass(frozen=True, slots=True)
class EarlierImport:
    """When the same bytes were imported under a profile, and whether nothing else was since."""

    at: datetime
    is_newest: bool


def find_earlier_import(entry: FolderEntry, sha256: str) -> EarlierImport | None:
    """The latest import of the same bytes from the same folder."""
    statement = (
        select(FolderFile.sha256, FolderFile.ended_at)
        .where(
            FolderFile.kind == entry.kind, FolderFile.profile == entry.profile, FolderFile.state == "imported"
        )
        .order_by(FolderFile.ended_at.desc(), FolderFile.id.desc())
    )
    newest = db.session.execute(statement.limit(1)).first()
    same = db.session.execute(statement.where(FolderFile.sha256 == sha256).limit(1)).first()
    if newest is None or same is None:
        return None
    return EarlierImport(same.ended_at, newest.sha256 == sha256)


def list_files(file_ids: Collection[int]) -> list[FolderFile]:
    """Files of the watched folder, the oldest first."""
    return list(
        db.session.scalars(select(FolderFile).where(FolderFile.id.in_(file_ids)).order_by(FolderFile.id))
    )


def find_waiting_file(run_id: UUID) -> FolderFile | None:
    """The file of the watched folder that waits until this import is settled."""
    return db.session.scalar(
        select(FolderFile).where(FolderFile.run_id == run_id, FolderFile.state == "waiting")
    )


def get_look() -> FolderLook | None:
    """The latest look at the folder; None if there was none."""
    return db.session.get(FolderLook, 1)


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """What the page of imports shows of the watched folder."""

    look: FolderLook | None
    counts: dict[str, int]  # files of the last week by state
    files: Sequence[FolderFile]  # that wait for a person, or were set aside in the last week; newest first
    newest_import: datetime | None


def read_folder_status(kinds: Collection[str], at: datetime) -> FolderStatus:
    """The state of the watched folder, of these kinds of import. Three statements."""
    since = at - SHOWN_FOR
    is_shown = (FolderFile.kind.in_(kinds), (FolderFile.ended_at.is_(None)) | (FolderFile.ended_at >= since))
    rows = db.session.execute(
        select(FolderFile.state, func.count(), func.max(FolderFile.ended_at))
        .where(*is_shown)
        .group_by(FolderFile.state)
    ).all()
    files = db.session.scalars(
        select(FolderFile)
        .where(*is_shown, FolderFile.state.in_(("waiting", "quarantined")))
        .order_by(FolderFile.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    counts = {state: count for state, count, _ in rows}
    newest = next((ended_at for state, _, ended_at in rows if state == "imported"), None)
    return FolderStatus(get_look(), counts, files, newest)
