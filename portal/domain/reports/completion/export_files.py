"""Files too large to be waited for: asked for once, made by a job, there for a day for their asker alone.

A file lies in the folder ``files`` of the instance under a random name that begins with its row's. It is
served by way of its row alone, so one without a row is nobody's, and goes when it is next looked for.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, select, update

from portal.domain.people.queries import Viewer, visibility_of
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.queries import CompletionReport
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import Job, JobState

KIND = "report_file"
KEPT = timedelta(hours=24)
SETTLED = timedelta(hours=1)  # longer than any reading transaction
MOST_UNDER_WAY = 3  # of one person
UNDER_WAY = (JobState.WAITING, JobState.RUNNING)
NARROWED = (
    "Whom you may see has changed since this file was made. Ask for it again on the page of its report."
)


def ask(report: CompletionReport, name: str, *, by: int, at: datetime) -> UUID:
    """Let a job make this file of a report; in the caller's transaction.

    Args:
        report: As the person asks for it; its position and filters are kept, its rows are not.
        name: The last part of the file's address, such as "completions.xlsx".
        by: Who asks, and alone may download it.
        at: This instant.

    Raises:
        RuleError: As many files as one may have made at once are being made for the person.
    """
    busy = select(PreparedFile.id).join(Job, Job.reference == PreparedFile.job_id)
    mine = busy.where(PreparedFile.asked_by_id == by, Job.state.in_(UNDER_WAY))
    if len(db.session.scalars(mine).all()) >= MOST_UNDER_WAY:
        raise RuleError(
            f"{MOST_UNDER_WAY} files are being made for you already. Wait until one is done, or cancel one."
        )
    file_id = uuid4()
    job_id = jobs.start_job(KIND, {"file": str(file_id)}, by=by, at=at)
    row = PreparedFile(
        id=file_id,
        job_id=job_id,
        asked_by_id=by,
        asked_at=at,
        directive=report.subject.reference,
        name=name,
        position=report.position.pinned,
        filters=report.filters.address,
        digest=_digest(report, name),
    )
    db.session.add(row)
    return file_id


def same(report: CompletionReport, name: str, viewer: Viewer, at: datetime) -> UUID | None:
    """The file of exactly this request by this person that is being made, or is there already."""
    found = db.session.execute(
        select(PreparedFile, Job.state)
        .join(Job, Job.reference == PreparedFile.job_id)
        .where(
            PreparedFile.asked_by_id == viewer.person_id,
            PreparedFile.digest == _digest(report, name),
            Job.state.in_((*UNDER_WAY, JobState.DONE)),
        )
        .order_by(PreparedFile.asked_at.desc())
    )
    for row, state in found:
        if not _over(row, at) and (state in UNDER_WAY or may_take(row, viewer)):
            file_id: UUID = row.id
            return file_id
    return None


def _digest(report: CompletionReport, name: str) -> str:
    asked = [report.subject.reference, name, report.position.pinned, report.filters.address]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def file_of(file_id: UUID, by: int, at: datetime) -> PreparedFile | None:
    """The file that this person asked for; None where there is none of theirs, or its day is over."""
    row = db.session.get(PreparedFile, file_id)
    return None if row is None or row.asked_by_id != by or _over(row, at) else row


def wanted(file_id: UUID, at: datetime) -> PreparedFile:
    """What a job shall make.

    Raises:
        RuleError: It was asked for more than a day ago.
    """
    row = db.session.get(PreparedFile, file_id)
    if row is None or _over(row, at):
        raise RuleError("This file was asked for more than a day ago. Ask for it again.")
    return row


def until(row: PreparedFile) -> datetime:
    """When the file goes; one that was not made goes a day after it was asked for."""
    return (row.made_at or row.asked_at) + KEPT


def _over(row: PreparedFile, at: datetime) -> bool:
    return at >= until(row)


def sight_of(viewer: Viewer) -> dict[str, Any]:
    """Whom the viewer may see now, to be held against later."""
    return {
        key: sorted(v) if isinstance(v, frozenset) else v for key, v in asdict(visibility_of(viewer)).items()
    }


def may_take(row: PreparedFile, viewer: Viewer) -> bool:
    """Whether the viewer still sees everyone whom they saw when the file was made."""
    now, then = visibility_of(viewer), row.sight
    if then is None:
        return False
    if now.everyone:
        return True
    reports = then["direct_reports_of"] in {None, now.direct_reports_of}
    units = now.unit_ids.issuperset(then["unit_ids"]) and now.granted_unit_ids.issuperset(
        then.get("granted", ())
    )
    return not then["everyone"] and reports and units


def keep(row_id: UUID, stored: Path, called: str, seen: dict[str, Any], at: datetime) -> None:
    """Note that the file is there; in the transaction that ends its job.

    Raises:
        RuleError: Its row has gone meanwhile.
    """
    values = {"made_at": at, "stored": stored.name, "called": called, "size": stored.stat().st_size}
    statement = update(PreparedFile).where(PreparedFile.id == row_id).values(sight=seen, **values)
    done: Any = db.session.execute(statement)
    if not done.rowcount:
        raise RuleError("This file was asked for more than a day ago. Ask for it again.")


def taken(row: PreparedFile) -> None:
    """Record that the file is downloaded; in the caller's transaction."""
    detail: dict[str, Any] = {"directive": row.directive, "name": row.name, "file": str(row.id)}
    detail |= {"filters": sorted(row.filters), **row.position}
    log("completions.downloaded", actor_id=row.asked_by_id, **detail)


def expired(at: datetime) -> list[UUID]:
    """The files whose day is over."""
    over = at - KEPT
    statement = select(PreparedFile.id).where(
        PreparedFile.asked_at <= over, or_(PreparedFile.made_at.is_(None), PreparedFile.made_at <= over)
    )
    return list(db.session.scalars(statement))


def forget(file_ids: list[UUID]) -> None:
    """Let the rows of these files go, once the files have; in the caller's transaction."""
    db.session.execute(delete(PreparedFile).where(PreparedFile.id.in_(file_ids)))


class Folder:
    """Where prepared files lie: in the instance, for its owner alone."""

    def __init__(self, instance: Path) -> None:
        self.path = instance / "files"

    def stored(self, row: PreparedFile) -> Path | None:
        """The file of a row; None where it is not made, or somebody removed it."""
        found = self.path / row.stored if row.stored else None
        return found if found and found.is_file() else None

    @contextmanager
    def begun(self, file_id: UUID) -> Iterator["Begun"]:
        """A place for a new file and what its making leaves; all of it goes unless the block ends well."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        name = f"{file_id.hex}-{secrets.token_hex(16)}"
        begun = Begun(self.path / f"{name}.part", self.path / name)
        begun.scratch.mkdir(mode=0o700)
        try:
            yield begun
        except BaseException:
            begun.whole.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(begun.scratch, ignore_errors=True)

    def remove(self, file_ids: list[UUID]) -> None:
        """Remove these files, and whatever runs that were cut off left of them."""
        for file_id in file_ids:
            for path in self.path.glob(f"{file_id.hex}-*"):
                _removed(path)

    def sweep(self, at: datetime) -> None:
        """Remove what belongs to no row, and is not so young that the row may not be seen here yet."""
        before = (at - SETTLED).timestamp()
        paths = [path for path in self.path.glob("*") if _written(path) < before]
        held = {row.hex for row in db.session.scalars(select(PreparedFile.id))} if paths else set()
        for path in paths:
            if path.name.partition("-")[0] not in held:
                _removed(path)


class Begun:
    """A file under way: written in ``scratch``, then put at ``whole`` in one step."""

    def __init__(self, scratch: Path, whole: Path) -> None:
        self.scratch, self.whole = scratch, whole
        self.draft = scratch / "draft"

    def finish(self) -> Path:
        """Put what was written in its place, on the disk and for the owner alone."""
        self.draft.chmod(0o600)
        with self.draft.open("rb") as written:
            os.fsync(written.fileno())
        self.draft.replace(self.whole)
        folder = os.open(self.whole.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self.whole


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another sweeps too
        return float("inf")


def _removed(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # of a disk that takes no change: a later look removes it
            path.unlink()
