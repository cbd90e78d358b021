"""Writes what becomes of a file of the watched folder, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.domain.imports import services
from portal.domain.imports.folder.examining import Verdict
from portal.domain.imports.models import FolderFile, FolderLook, ImportRun
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.watched_folder.files import FolderEntry

LAPSED = "Nobody confirmed it within a week."
CANCELLED = "Its import was cancelled."


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file in the portal's own part of the folder."""

    entry: FolderEntry
    size: int
    sha256: str | None = None  # None: it was not opened


def record_file(file: TakenFile, verdict: Verdict, place: str, *, at: datetime) -> FolderFile:
    """Carry out a verdict in the database: import the file, or store it with its check for a person.

    Args:
        file: The file.
        verdict: Of an examination that has just been made without a lock; staged, if it is to be imported.
        place: Where the file is moved to next, or where it waits.
        at: This instant.

    Raises:
        MovedError: Since the examination something was recorded that the import depends on.
    """
    row = FolderFile(
        kind=file.entry.kind,
        profile=file.entry.profile,
        name=file.entry.name,
        size=file.size,
        sha256=file.sha256,
        state=verdict.state,
        reasons=list(verdict.reasons),
        asks_values=verdict.asks_values,
        run_id=_record_run(verdict, at),
        taken_at=at,
        ended_at=None if verdict.state == "waiting" else at,
        place=place,
        moved=False,
    )
    db.session.add(row)
    db.session.flush()
    if verdict.state != "imported":
        log(f"folder.{verdict.state}", actor_id=None, kind=row.kind, file=row.id)
    return row


def _record_run(verdict: Verdict, at: datetime) -> UUID | None:
    """Begin the import of a file that could be read, and apply it if nobody has to look at it first."""
    if verdict.upload is None or verdict.result is None:
        return None
    run = services.begin_import(verdict.upload, by=None, at=at)
    if verdict.state == "imported":
        services.apply_import(run.id, verdict.result, verdict.result.digest, by=None, at=at)
    elif not verdict.asks_values:
        services.save_check(run.id, verdict.result, at)
    return run.id


def record_answer(file: FolderFile, run: ImportRun, place: str, *, at: datetime) -> None:
    """End the wait of a file whose import was applied, cancelled or left for a week."""
    file.state = "imported" if run.ended_as == "applied" else "quarantined"
    file.ended_at, file.place = run.ended_at, place
    if run.ended_as != "applied":
        file.reasons = [LAPSED if run.ended_as == "lapsed" else CANCELLED]
    if run.ended_as == "lapsed":
        log("folder.quarantined", actor_id=None, kind=file.kind, file=file.id)


def record_look(*, fault: str, arrived: int, refused: Sequence[str], at: datetime) -> None:
    """Record that the folder was looked at, for the page of imports."""
    look = db.session.get(FolderLook, 1)
    if look is None:
        look = FolderLook(id=1)
        db.session.add(look)
    look.looked_at, look.fault, look.arrived, look.refused = at, fault, arrived, list(refused)
