"""Queries about imports, their files and the saved profiles, and who may import what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import undefer

from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.version_cache import newest_title
from portal.domain.imports.models import ImportContent, ImportProfile, ImportRun
from portal.domain.people.models import PersonName
from portal.domain.people.sight import units_allowing
from portal.domain.people.visibility import Viewer
from portal.platform.db import db
from portal.platform.errors import NotFoundError, require
from portal.platform.jobs.models import Job
from portal.platform.permissions import Permission

COMMAND = "The command line"
FOLDER = "The watched folder"
FILE_RETENTION = timedelta(days=7)  # for a file that waits, and after it was applied
_PERMISSIONS = {"roster": Permission.ROSTER_IMPORT, "completions": Permission.RECORD_IMPORT}


def list_importable_kinds(viewer: Viewer) -> list[str]:
    """The kinds of file that the person may import.

    A file names people of the whole force, so a role on a unit is not enough.
    """
    return [
        kind
        for kind, act in _PERMISSIONS.items()
        if act in viewer.permissions and units_allowing(viewer, act) is None
    ]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One import in the list of all."""

    id: UUID
    kind: str
    file_name: str
    rows: int
    began_at: datetime
    by: str
    bad_rows: int | None
    checked_at: datetime | None
    ended_at: datetime | None
    ended_as: str | None
    numbers: dict[str, int] | None
    job_state: str | None  # of the latest job that checks or applies it


def list_runs(kinds: list[str], offset: int, limit: int, *, unfinished: bool = False) -> list[RunRow]:
    """The imports of these kinds, newest first; ``unfinished`` leaves out those that ended. One statement."""
    columns = (
        ImportRun.id,
        ImportRun.kind,
        ImportRun.file_name,
        ImportRun.rows,
        ImportRun.began_at,
        case(
            (ImportRun.from_folder, FOLDER),
            (ImportRun.began_by_id.is_(None), COMMAND),
            else_=func.coalesce(PersonName.full_name, "Erased"),
        ),
        ImportRun.bad_rows,
        ImportRun.checked_at,
        ImportRun.ended_at,
        ImportRun.ended_as,
        ImportRun.numbers,
        Job.state,
    )
    statement = (
        select(*columns)
        .outerjoin(PersonName, PersonName.person_id == ImportRun.began_by_id)
        .outerjoin(Job, Job.reference == ImportRun.job_id)
        .where(*_run_conditions(kinds, unfinished))
        .order_by(ImportRun.began_at.desc(), ImportRun.id)
    )
    return [RunRow(*row) for row in db.session.execute(statement.offset(offset).limit(limit))]


def count_runs(kinds: list[str], *, unfinished: bool = False) -> int:
    """The number of imports of these kinds; ``unfinished`` leaves out those that ended."""
    return db.session.scalar(select(func.count(ImportRun.id)).where(*_run_conditions(kinds, unfinished))) or 0


def count_kept_runs(kinds: list[str], at: datetime) -> int:
    """The number of unfinished imports of these kinds whose file has not waited for more than a week."""
    conditions = [*_run_conditions(kinds, unfinished=True), ImportRun.began_at >= at - FILE_RETENTION]
    return db.session.scalar(select(func.count(ImportRun.id)).where(*conditions)) or 0


def _run_conditions(kinds: list[str], unfinished: bool) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ImportRun.kind.in_(kinds)]
    return [*conditions, ImportRun.ended_at.is_(None)] if unfinished else conditions


def get_run(run_id: UUID, *, lock: bool = False) -> ImportRun:
    """One import; with ``lock`` nobody else changes it until this transaction ends."""
    statement = select(ImportRun).where(ImportRun.id == run_id).options(undefer(ImportRun.report))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return require(db.session.scalar(statement), "There is no such import.")


def has_expired_files(at: datetime) -> bool:
    """Whether a file is kept that has waited for more than a week, or was applied so long ago."""
    since = func.coalesce(ImportRun.ended_at, ImportRun.began_at)
    expired = (
        select(ImportContent.run_id)
        .join(ImportRun, ImportRun.id == ImportContent.run_id)
        .where(since < at - FILE_RETENTION)
    )
    return db.session.scalar(expired.limit(1)) is not None


def is_file_kept(run_id: UUID) -> bool:
    """Whether the file of this import is still there."""
    kept = select(ImportContent.run_id).where(ImportContent.run_id == run_id)
    return db.session.scalar(kept) is not None


def read_file_content(run_id: UUID) -> bytes:
    """The bytes of an import's file, while they are kept."""
    content = db.session.scalar(select(ImportContent.content).where(ImportContent.run_id == run_id))
    if content is None:
        raise NotFoundError("The file of this import is no longer kept.")
    return content


def names_in_run(run: ImportRun) -> dict[int | None, str]:
    """Names of who began and ended an import by id, with words for nobody (None) and for people erased."""
    person_ids = (run.began_by_id, run.ended_by_id)
    rows = db.session.execute(
        select(PersonName.person_id, PersonName.full_name).where(
            PersonName.person_id.in_([i for i in person_ids if i is not None])
        )
    )
    names = {person_id: name for person_id, name in rows}
    nobody = FOLDER if run.from_folder else COMMAND
    return {i: nobody if i is None else names.get(i, "Erased") for i in person_ids}


def list_profiles(kind: str) -> list[ImportProfile]:
    """The saved profiles of a kind, by name."""
    statement = select(ImportProfile).where(ImportProfile.kind == kind).order_by(ImportProfile.name)
    return list(db.session.scalars(statement))


def get_profile(kind: str, name: str) -> ImportProfile:
    """A saved profile."""
    profile = db.session.scalar(
        select(ImportProfile).where(ImportProfile.kind == kind, ImportProfile.name == name)
    )
    if profile is None:
        raise NotFoundError(f"There is no profile {name!r}.")
    return profile


def activity_titles() -> dict[str, str]:
    """Titles of all activities, by "kind/key"; the key of one that is not published yet."""
    rows = db.session.execute(
        select(Activity.kind, Activity.key, newest_title()).order_by(Activity.kind.desc(), Activity.id)
    )
    return {f"{kind}/{key}": title for kind, key, title in rows}
