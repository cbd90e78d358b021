"""The job that makes a large file of a report, with what its requester may see when it runs."""

import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from config import current_settings
from portal.domain.people.queries import Viewer, require_starter
from portal.domain.reports.completion import export_files, pdf_export, writers
from portal.domain.reports.completion.briefing_pdf import briefing_pdf
from portal.domain.reports.completion.export_columns import AnyRow
from portal.domain.reports.completion.export_files import FileFolder, FileInProgress
from portal.domain.reports.packs import kinds as packs
from portal.domain.reports.packs.contents import write_pack
from portal.domain.reports.parameters import parse_filters, parse_position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.db import newest_stamp, transaction, try_to_write
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Task
from portal.platform.permissions import Permission
from portal.platform.wording import number

PART = 2_000  # people in one PDF: typesetting keeps the whole document in memory, 0.2 MiB a person
NAMELESS = (export_files.BRIEFING, packs.FOI)  # files without anybody's row
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
    row = export_files.get_requested_file(UUID(arguments["file"]), clock.now())
    viewer = _read_requester(row.asked_by_id)
    visibility = export_files.visibility_values(viewer)
    day, instant = row.position["as_at"], row.position["as_known_on"]
    position = parse_position(day, instant, now=clock.now(), newest=newest_stamp())
    if row.name in packs.NAMES:
        position = packs.settle_position(position)
    report = completion_report(viewer, row.directive, position, parse_filters(row.filters))
    file_id, name = row.id, row.name
    with file_folder().start_file(file_id) as new_file:
        written = _write_file(report, name, new_file, progress)
        detail = {**writers.audit_detail(report, name.rpartition(".")[2]), "file": str(file_id)}
        detail |= written.detail
        people = set() if name in NAMELESS else report.list_person_ids()
        with transaction():
            event = log_file("completions.exported", people, actor_id=viewer.person_id, **detail)
            stored = new_file.put_in_place()
            export_files.mark_file_made(file_id, stored, written.name, visibility, event.id, clock.now())
            result = {"Rows": written.rows, **({"SHA-256": d} if (d := detail.get("sha256")) else {})}
            progress.conclude_job(result)
    return result


def remove_expired_files() -> None:
    """Remove the files that have expired, then their rows. If it is interrupted, the next call goes on."""
    now = clock.now()
    expired = export_files.list_expired_files(now)
    if expired:
        file_folder().remove_files(expired)
        try_to_write(lambda: export_files.delete_files(expired), "files expired")
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
    if name == export_files.BRIEFING:
        made = briefing_pdf(report, force=current_settings().force_name, at=clock.now())
        new_file.draft.write_bytes(made)
        return _Written(writers.file_name(report, "pdf", "briefing"), total)
    if form == "pdf":
        return _Written(_write_pdf(report, new_file, report_done), total)
    rows = _report_rows(report.person_rows() if wide else report.rows(), report_done)
    columns = report.person_columns if wide else report.columns
    if form == "csv":
        writers.write_csv(rows, new_file.draft, columns)
    elif form == "json":
        writers.write_json(rows, new_file.draft, report, columns)
    else:
        writers.refuse_large_workbook(total)
        with new_file.draft.open("wb") as file:
            writers.write_xlsx(rows, file, report, columns, scratch=str(new_file.scratch))
    return _Written(writers.file_name(report, form, kind), total, {"shape": "wide"} if wide else {})


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
        new_file.draft.write_bytes(pdf_export.report_pdf(report, force=force, at=at))
        return writers.file_name(report, "pdf")
    with zipfile.ZipFile(new_file.draft, "w") as archive:
        for part in range(1, parts + 1):
            people = list(itertools.islice(rows, PART))
            which = f"Part {part} of {parts}, people {number(done + 1)} to {number(done + len(people))}"
            made = pdf_export.report_pdf(report, force=force, at=at, rows=people, part=which)
            archive.writestr(writers.file_name(report, "pdf", f"completions-part-{part}-of-{parts}"), made)
            done += len(people)
            report_done(done)
    return writers.file_name(report, "zip")


TASKS = (
    Task(export_files.KIND, "File of a report", make_file, page=_page_address, own=True, low_priority=True),
)
