"""The job that makes a large file of a report, as its asker may see it when it runs."""

import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from config import current_settings
from portal.domain.people.queries import Viewer, viewer_of
from portal.domain.reports.as_of import position
from portal.domain.reports.completion import export_files, pdf_export, writers
from portal.domain.reports.completion.export_columns import AnyRow
from portal.domain.reports.completion.export_files import Begun, Folder
from portal.domain.reports.filters import filters_of
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import newest_stamp, transaction, try_to_write
from portal.platform.errors import ForbiddenError
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Task
from portal.platform.permissions import Permission
from portal.platform.wording import number

PART = 2_000  # people of one PDF: typesetting keeps the whole document in memory, 0.2 MiB a person
STEP = 100  # rows between two words of progress
Tell = Callable[[int], None]


def folder() -> Folder:
    """The folder of prepared files of the running portal."""
    return Folder(current_settings().instance)


def _page(arguments: dict[str, Any]) -> str:
    return f"/monitoring/files/{arguments['file']}"


def make(progress: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the file beside its place, then put it there in one step with the end of the job."""
    tidy()
    row = export_files.wanted(UUID(arguments["file"]), clock.now())
    viewer = _viewer(row.asked_by_id)
    seen = export_files.sight_of(viewer)
    now, newest = clock.now(), newest_stamp()
    at = position(row.position["as_at"], row.position["as_known_on"], now=now, newest=newest)
    report = completion_report(viewer, row.directive, at, filters_of(row.filters))
    file_id, name = row.id, row.name
    with folder().begun(file_id) as begun:
        called, rows = _write(report, name, begun, progress)
        with transaction():
            export_files.keep(file_id, begun.finish(), called, seen, clock.now())
            detail = {**writers.audited(report, name.rpartition(".")[2]), "file": str(file_id)}
            detail |= {"shape": "wide"} if name.startswith("people") else {}
            log("completions.exported", actor_id=viewer.person_id, **detail)
            result = {"Rows": rows}
            progress.conclude_job(result)
    return result


def tidy() -> None:
    """Remove the files whose day is over, then their rows: cut off in between, it is done again."""
    now = clock.now()
    over = export_files.expired(now)
    if over:
        folder().remove(over)
        try_to_write(lambda: export_files.forget(over), "files ran out")
    folder().sweep(now)


def _viewer(person_id: int) -> Viewer:
    """Who asked, as they are now.

    Raises:
        ForbiddenError: They may not download completions any more.
    """
    viewer = viewer_of(person_id, line_managers=current_settings().line_managers_see)
    if viewer is None or Permission.COMPLETION_EXPORT not in viewer.permissions:
        raise ForbiddenError("Whoever asked for this file may not download completions any more.")
    return viewer


def _write(report: CompletionReport, name: str, begun: Begun, progress: JobProgress) -> tuple[str, int]:
    """What the file is called and how many rows it has."""
    kind, _, form = name.rpartition(".")
    total = report.shown.rows if name == "completions.xlsx" else report.shown.assigned

    def tell(done: int) -> None:
        said = "Setting the pages" if form == "pdf" else "Writing rows"
        progress.report_progress(done, total, said)

    tell(0)
    if form == "pdf":
        return _write_pdf(report, begun, tell), total
    writers.refuse_large_workbook(total)
    wide = kind == "people"
    rows = _told(report.person_rows() if wide else report.rows(), tell)
    columns = report.person_columns if wide else report.columns
    with begun.draft.open("wb") as file:
        writers.write_xlsx(rows, file, report, columns, scratch=str(begun.scratch))
    return writers.file_name(report, "xlsx", kind), total


def _told(rows: Iterable[AnyRow], tell: Tell) -> Iterator[AnyRow]:
    for done, row in enumerate(rows):
        if done % STEP == 0:
            tell(done)
        yield row


def _write_pdf(report: CompletionReport, begun: Begun, tell: Tell) -> str:
    """One document, or parts of ``PART`` people each in an archive: a document is held in memory whole."""
    parts = max(1, -(-report.shown.assigned // PART))
    force, at = current_settings().force_name, clock.now()
    rows, done = report.person_rows(), 0
    if parts == 1:
        begun.draft.write_bytes(pdf_export.report_pdf(report, force=force, at=at))
        return writers.file_name(report, "pdf")
    with zipfile.ZipFile(begun.draft, "w") as archive:
        for part in range(1, parts + 1):
            people = list(itertools.islice(rows, PART))
            which = f"Part {part} of {parts}, people {number(done + 1)} to {number(done + len(people))}"
            made = pdf_export.report_pdf(report, force=force, at=at, rows=people, part=which)
            archive.writestr(writers.file_name(report, "pdf", f"completions-part-{part}-of-{parts}"), made)
            done += len(people)
            tell(done)
    return writers.file_name(report, "zip")


TASKS = (Task(export_files.KIND, "File of a report", make, page=_page, own=True),)
