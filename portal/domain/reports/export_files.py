"""Large files: requested on a page, made by a job, kept for 24 hours for the person who requested them.

A file is in the folder ``files`` of the instance, under a random name that begins with the id of its row. It
is served through its row alone; a file without a row belongs to nobody and is removed.
"""

import hashlib
import itertools
import json
import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, select, update

from config import current_settings
from portal.domain.people.queries import require_starter
from portal.domain.people.visibility import Viewer, visibility_of
from portal.domain.reports import completion_files, packs, report_pdf
from portal.domain.reports.completion_rows import AnyRow
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.packs import write_pack
from portal.domain.reports.parameters import parse_filters, parse_position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.reports.report_pdf import briefing_pdf
from portal.domain.reports.statistics import Figures
from portal.platform import clock
from portal.platform.audit import log_copy, log_file
from portal.platform.db import db, newest_stamp, transaction, try_to_write
from portal.platform.errors import RuleError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.registry import JobProgress, Task
from portal.platform.permissions import Permission
from portal.platform.wording import number

KIND = "report_file"
KEEP_FOR = timedelta(hours=24)
ORPHAN_AGE = timedelta(hours=1)  # longer than any transaction that may not see a new row yet
MOST_UNDER_WAY = 3  # of one person
LONG, WIDE, PAPER = "XLSX with every requirement", "XLSX with one row a person", "PDF"
BRIEFING = "briefing.pdf"  # has one page, however many the people are
UNDER_WAY = (JobState.WAITING, JobState.RUNNING)
NARROWED = (
    "The people you can see have changed since this file was made. Go to the report and request it again."
)


def job_notice(figures: Figures, offered: tuple[str, ...] = (LONG, WIDE, PAPER)) -> str:
    """Say which of the offered files are so large that a job makes them; empty if none is.

    Args:
        figures: Of the people who would be listed.
        offered: The files that the links beside the sentence lead to.
    """
    bounds = (
        (LONG, figures.rows, completion_files.XLSX_ROWS, f"over {number(completion_files.XLSX_ROWS)} rows"),
        (
            WIDE,
            figures.assigned,
            completion_files.XLSX_ROWS,
            f"over {number(completion_files.XLSX_ROWS)} rows",
        ),
        (PAPER, figures.assigned, report_pdf.MOST_PEOPLE, f"over {number(report_pdf.MOST_PEOPLE)} people"),
    )
    large = [f"the {name} ({why})" for name, size, most, why in bounds if name in offered and size > most]
    if not large:
        return ""
    names = " and ".join(filter(None, (", ".join(large[:-1]), large[-1])))
    verb = "takes" if len(large) == 1 else "take"
    page = "A page shows the progress and keeps the file for 24 hours."
    return f"{names[:1].upper()}{names[1:]} {verb} a few minutes to make. {page}"


def refuse_too_large(report: CompletionReport, name: str) -> None:
    """Refuse a workbook or document that is too large even for a job, and a pack that cannot be had.

    Raises:
        RuleError: It is; the sentence says what to do.
    """
    if name in packs.NAMES:
        packs.refuse_pack(report, name, current_settings().small_number)
    if name.endswith(".xlsx"):
        completion_files.refuse_large_workbook(_count_rows(report, name))
    elif name.endswith(".pdf") and name != BRIEFING:
        report_pdf.refuse_long(report)


def needs_job(report: CompletionReport, name: str) -> bool:
    """Whether the file is too large to be waited for, as packs are; CSV and JSON are sent while made."""
    if name in packs.NAMES:
        return True
    if name.endswith(".pdf") and name != BRIEFING:
        return report.shown.assigned > report_pdf.MOST_PEOPLE
    return name.endswith(".xlsx") and _count_rows(report, name) > completion_files.XLSX_ROWS


def _count_rows(report: CompletionReport, name: str) -> int:
    return report.shown.assigned if name.startswith("people") else report.shown.rows


class FileWish(NamedTuple):
    """What a file is to hold; its position and filters are saved, not its rows."""

    subject: str  # the directive's reference, or of an answer pack the recommendation's key
    name: str  # the last part of the file's address, such as "completions.xlsx"
    position: dict[str, str]  # both times, written out
    filters: dict[str, str]
    kind: str = KIND  # of the job that makes it

    @property
    def digest(self) -> str:
        """The same request has the same digest."""
        request = [self.subject, self.name, self.position, self.filters]
        return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def wish_of(report: CompletionReport, name: str) -> FileWish:
    """The request for this file of a report."""
    return FileWish(report.directive.reference, name, report.position.pinned, report.filters.address)


def request_file(wish: FileWish, *, by: int, at: datetime) -> UUID:
    """Start a job that makes this file; in the caller's transaction.

    Args:
        wish: What it is to hold.
        by: Who requests it, and alone may download it.
        at: The current instant.
    """
    with_job = select(PreparedFile.id).join(Job, Job.reference == PreparedFile.job_id)
    under_way = with_job.where(PreparedFile.asked_by_id == by, Job.state.in_(UNDER_WAY))
    if len(db.session.scalars(under_way).all()) >= MOST_UNDER_WAY:
        raise RuleError(
            f"You already have {MOST_UNDER_WAY} files being made. Wait until one is ready, or cancel one."
        )
    file_id = uuid4()
    job_id = jobs.start_job(wish.kind, {"file": str(file_id)}, by=by, at=at)
    row = PreparedFile(
        id=file_id,
        job_id=job_id,
        asked_by_id=by,
        asked_at=at,
        directive=wish.subject,
        name=wish.name,
        position=wish.position,
        filters=wish.filters,
        digest=wish.digest,
    )
    db.session.add(row)
    return file_id


def find_same_file(wish: FileWish, viewer: Viewer, at: datetime) -> UUID | None:
    """The file of the same request by this person that is being made or is ready; None if there is none."""
    rows = db.session.execute(
        select(PreparedFile, Job.state)
        .join(Job, Job.reference == PreparedFile.job_id)
        .where(
            PreparedFile.asked_by_id == viewer.person_id,
            PreparedFile.digest == wish.digest,
            Job.state.in_((*UNDER_WAY, JobState.DONE)),
        )
        .order_by(PreparedFile.asked_at.desc())
    )
    for row, state in rows:
        if not _is_expired(row, at) and (state in UNDER_WAY or may_download(row, viewer)):
            file_id: UUID = row.id
            return file_id
    return None


def get_own_file(file_id: UUID, by: int, at: datetime) -> PreparedFile | None:
    """The file that this person requested; None if it is not theirs, never was, or has expired."""
    row = db.session.get(PreparedFile, file_id)
    return None if row is None or row.asked_by_id != by or _is_expired(row, at) else row


def get_requested_file(file_id: UUID, at: datetime) -> PreparedFile:
    """Get the file that a job is to make."""
    row = db.session.get(PreparedFile, file_id)
    if row is None or _is_expired(row, at):
        raise RuleError("You requested this file more than a day ago. Request it again.")
    return row


def expires_at(row: PreparedFile) -> datetime:
    """When the file expires: a day after it was made or, if it was not made, requested."""
    return (row.made_at or row.asked_at) + KEEP_FOR


def _is_expired(row: PreparedFile, at: datetime) -> bool:
    return at >= expires_at(row)


def visibility_values(viewer: Viewer) -> dict[str, Any]:
    """Whom the viewer may see now, as JSON, to compare with later."""
    values = asdict(visibility_of(viewer))
    return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in values.items()}


def may_download(row: PreparedFile, viewer: Viewer) -> bool:
    """Whether the viewer may still see everyone whom they could see when the file was made."""
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


def mark_file_made(
    row_id: UUID, stored: Path, download_name: str, visibility: dict[str, Any], event_id: int, at: datetime
) -> None:
    """Record that the file is ready, and which audit event says whom it holds, in its transaction."""
    values: dict[str, Any] = {
        "made_at": at,
        "stored": stored.name,
        "called": download_name,
        "size": stored.stat().st_size,
    }
    values |= {"sight": visibility, "event_id": event_id}
    statement = update(PreparedFile).where(PreparedFile.id == row_id).values(**values)
    result: Any = db.session.execute(statement)
    if not result.rowcount:
        raise RuleError("You requested this file more than a day ago. Request it again.")


def record_download(row: PreparedFile) -> None:
    """Record the download in the audit trail; in the caller's transaction."""
    detail: dict[str, Any] = {"directive": row.directive, "name": row.name, "file": str(row.id)}
    detail |= {"filters": sorted(row.filters), **row.position}
    log_copy("completions.downloaded", row.event_id, actor_id=row.asked_by_id, **detail)


def list_expired_files(at: datetime) -> list[UUID]:
    """The ids of the files that have expired."""
    limit = at - KEEP_FOR
    statement = select(PreparedFile.id).where(
        PreparedFile.asked_at <= limit, or_(PreparedFile.made_at.is_(None), PreparedFile.made_at <= limit)
    )
    return list(db.session.scalars(statement))


def delete_files(file_ids: list[UUID]) -> None:
    """Delete the rows of these files, once the files are removed; in the caller's transaction."""
    db.session.execute(delete(PreparedFile).where(PreparedFile.id.in_(file_ids)))


class FileFolder:
    """The folder of prepared files: in the instance, readable by its owner alone."""

    def __init__(self, instance: Path) -> None:
        self.path = instance / "files"

    def stored_path(self, row: PreparedFile) -> Path | None:
        """The path of a row's file; None if it is not made yet or no longer there."""
        path = self.path / row.stored if row.stored else None
        return path if path and path.is_file() else None

    @contextmanager
    def start_file(self, file_id: UUID) -> Iterator["FileInProgress"]:
        """Make a scratch folder for a new file; an exception in the block removes everything."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        name = f"{file_id.hex}-{secrets.token_hex(16)}"
        new_file = FileInProgress(self.path / f"{name}.part", self.path / name)
        new_file.scratch.mkdir(mode=0o700)
        try:
            yield new_file
        except BaseException:
            new_file.final_path.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(new_file.scratch, ignore_errors=True)

    def remove_files(self, file_ids: list[UUID]) -> None:
        """Remove these files, and what interrupted jobs left of them."""
        for file_id in file_ids:
            for path in self.path.glob(f"{file_id.hex}-*"):
                _remove_path(path)

    def remove_orphans(self, at: datetime) -> None:
        """Remove files that belong to no row and are older than ``ORPHAN_AGE``."""
        before = (at - ORPHAN_AGE).timestamp()
        paths = [path for path in self.path.glob("*") if _modified_at(path) < before]
        ids = {row.hex for row in db.session.scalars(select(PreparedFile.id))} if paths else set()
        for path in paths:
            if path.name.partition("-")[0] not in ids:
                _remove_path(path)


class FileInProgress:
    """A file under way: written in ``scratch``, then moved to ``final_path`` in one step."""

    def __init__(self, scratch: Path, final_path: Path) -> None:
        self.scratch, self.final_path = scratch, final_path
        self.draft = scratch / "draft"

    def put_in_place(self) -> Path:
        """Move the written file to its place, flushed to the disk and readable by the owner alone."""
        self.draft.chmod(0o600)
        with self.draft.open("rb") as written:
            os.fsync(written.fileno())
        self.draft.replace(self.final_path)
        folder = os.open(self.final_path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self.final_path


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process removed it
        return float("inf")


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # a read-only disk: a later call removes it
            path.unlink()


# The job that makes a large file of a report, with what its requester may see when it runs.

PART = 2_000  # people in one PDF: typesetting keeps the whole document in memory, 0.2 MiB a person
NAMELESS = (BRIEFING, packs.FOI)  # files without anybody's row
STEP = 100  # rows between two reports of progress
ReportDone = Callable[[int], None]


def file_folder() -> FileFolder:
    """The folder of prepared files of the running portal."""
    return FileFolder(current_settings().instance)


def _page_address(arguments: dict[str, Any]) -> str:
    return f"/monitoring/files/{arguments['file']}"


def make_file(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the file to a scratch folder, then put it in place in the transaction that ends the job."""
    remove_expired_files()
    row = get_requested_file(UUID(arguments["file"]), clock.now())
    viewer = _read_requester(row.asked_by_id)
    visibility = visibility_values(viewer)
    day, instant = row.position["as_at"], row.position["as_known_on"]
    position = parse_position(day, instant, now=clock.now(), newest=newest_stamp())
    if row.name in packs.NAMES:
        position = packs.settle_position(position)
    report = completion_report(viewer, row.directive, position, parse_filters(row.filters))
    file_id, name = row.id, row.name
    with file_folder().start_file(file_id) as new_file:
        written = _write_file(report, name, new_file, progress)
        detail = {**completion_files.audit_detail(report, name.rpartition(".")[2]), "file": str(file_id)}
        detail |= written.detail
        people = set() if name in NAMELESS else report.list_person_ids()
        with transaction():
            event = log_file("completions.exported", people, actor_id=viewer.person_id, **detail)
            stored = new_file.put_in_place()
            mark_file_made(file_id, stored, written.name, visibility, event.id, clock.now())
            result = {"Rows": written.rows, **({"SHA-256": d} if (d := detail.get("sha256")) else {})}
            progress.conclude_job(result)
    return result


def remove_expired_files() -> None:
    """Remove the files that have expired, then their rows. If it is interrupted, the next call goes on."""
    now = clock.now()
    expired = list_expired_files(now)
    if expired:
        file_folder().remove_files(expired)
        try_to_write(lambda: delete_files(expired), "files expired")
    file_folder().remove_orphans(now)


def _read_requester(person_id: int) -> Viewer:
    """Read who requested the file, with the roles of today.

    Raises:
        ForbiddenError: They may no longer download completions.
    """
    refusal = "You may no longer download completions, so this file was not made."
    line_managers = current_settings().line_managers_see
    return require_starter(person_id, Permission.COMPLETION_EXPORT, refusal, line_managers=line_managers)


class _Written(NamedTuple):
    """A file that is written to its scratch folder."""

    name: str  # where it is downloaded
    rows: int
    detail: dict[str, Any] = {}  # for the audit trail


def _write_file(
    report: CompletionReport, name: str, new_file: FileInProgress, progress: JobProgress
) -> _Written:
    """Write the file."""
    kind, _, form = name.rpartition(".")
    wide = kind == "people"
    total = report.shown.assigned if wide or form == "pdf" else report.shown.rows

    def report_done(done: int) -> None:
        progress.report_progress(done, total, "Setting the pages" if form == "pdf" else "Writing rows")

    report_done(0)
    if name in packs.NAMES:
        return _write_pack(report, name, new_file, report_done)
    if name == BRIEFING:
        made = briefing_pdf(report, force=current_settings().force_name, at=clock.now())
        new_file.draft.write_bytes(made)
        return _Written(completion_files.file_name(report, "pdf", "briefing"), total)
    if form == "pdf":
        return _Written(_write_pdf(report, new_file, report_done), total)
    rows = _report_rows(report.person_rows() if wide else report.rows(), report_done)
    columns = report.person_columns if wide else report.columns
    if form == "csv":
        completion_files.write_csv(rows, new_file.draft, columns)
    elif form == "json":
        completion_files.write_json(rows, new_file.draft, report, columns)
    else:
        completion_files.refuse_large_workbook(total)
        with new_file.draft.open("wb") as file:
            completion_files.write_xlsx(rows, file, report, columns, scratch=str(new_file.scratch))
    return _Written(completion_files.file_name(report, form, kind), total, {"shape": "wide"} if wide else {})


def _write_pack(
    report: CompletionReport, name: str, new_file: FileInProgress, report_done: ReportDone
) -> _Written:
    """Write a pack, for its requester as they are now."""
    settings = current_settings()
    packs.refuse_pack(report, name, settings.small_number)
    folder = new_file.scratch / "pack"
    folder.mkdir(mode=0o700)
    made = write_pack(
        report,
        name,
        folder,
        new_file.draft,
        force=settings.force_name,
        small=settings.small_number,
        done=report_done,
    )
    return _Written(
        packs.pack_name(report, name), made.rows, packs.audit_detail(name, made.rows, made.sha256)
    )


def _report_rows(rows: Iterable[AnyRow], report_done: ReportDone) -> Iterator[AnyRow]:
    for done, row in enumerate(rows):
        if done % STEP == 0:
            report_done(done)
        yield row


def _write_pdf(report: CompletionReport, new_file: FileInProgress, report_done: ReportDone) -> str:
    """Write one document, or a ZIP of documents of ``PART`` people each: a document must fit in memory."""
    parts = max(1, -(-report.shown.assigned // PART))
    force, at = current_settings().force_name, clock.now()
    rows, done = report.person_rows(), 0
    if parts == 1:
        new_file.draft.write_bytes(report_pdf.report_pdf(report, force=force, at=at))
        return completion_files.file_name(report, "pdf")
    with zipfile.ZipFile(new_file.draft, "w") as archive:
        for part in range(1, parts + 1):
            people = list(itertools.islice(rows, PART))
            which = f"Part {part} of {parts}, people {number(done + 1)} to {number(done + len(people))}"
            made = report_pdf.report_pdf(report, force=force, at=at, rows=people, part=which)
            archive.writestr(
                completion_files.file_name(report, "pdf", f"completions-part-{part}-of-{parts}"), made
            )
            done += len(people)
            report_done(done)
    return completion_files.file_name(report, "zip")


TASKS = (Task(KIND, "File of a report", make_file, page=_page_address, own=True, low_priority=True),)
