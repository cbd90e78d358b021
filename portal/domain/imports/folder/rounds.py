"""The job that imports the files of the watched folder.

It may be cut off at any moment. What becomes of a file is one transaction, and its move follows. The next
round makes up for a move that was cut off, so no file is imported twice and none is lost.
"""

import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from config import current_settings
from portal.domain.imports.check_result import MovedError
from portal.domain.imports.folder import queries, records
from portal.domain.imports.folder.examining import Verdict, examine_file
from portal.domain.imports.folder.records import TakenFile
from portal.domain.imports.models import FolderFile
from portal.domain.imports.services import delete_expired_files
from portal.platform import clock
from portal.platform.audit.origin import Channel, Origin, originating_from
from portal.platform.bulk_writing import enlarged_page_cache
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError, RuleError, UnwritableError
from portal.platform.jobs.errors import CancelledError
from portal.platform.jobs.items import ItemFailures
from portal.platform.jobs.progress import JobProgress
from portal.platform.observability.logs import get_logger
from portal.platform.tables.table_files import MOST_BYTES
from portal.platform.watched_folder.files import DONE, QUARANTINE, FolderEntry, WatchedFolder
from portal.platform.watched_folder.settings import FolderSettings
from portal.platform.wording import plural

JOB = "imports.folder"  # in the table of jobs: never changed
ACTOR = "watched folder"  # who acts, in the audit trail
TRIES = 3  # of importing a file, if others record facts meanwhile
UNREADABLE = "The portal’s user may not read it: check its group, and the mode with which it is written."
UNEXPECTED = "The portal could not read it. Support finds the reason in its log."
_log = get_logger("portal.folder")
_WORDS = {
    "imported": "imported",
    "repeated": "imported before",
    "waiting": "held",
    "quarantined": "set aside",
}


def run_folder(progress: JobProgress, _arguments: dict[str, Any]) -> dict[str, Any]:
    """Import what has arrived in the watched folder, file by file, and put files away."""
    settings = current_settings().import_folder
    if not settings.path:
        return {"said": ["This worker watches no folder: IMPORT_FOLDER is not set."]}
    folder = WatchedFolder(settings)
    if fault := folder.make_folders():
        raise RuleError(fault)
    origin = Origin(Channel.JOB, ACTOR, request_id=str(progress.reference))
    with originating_from(origin), folder.hold_alone() as is_alone:
        if not is_alone:
            return {"said": ["Another worker works on the folder already."]}
        round_of_files = FolderRound(folder, settings, progress)
        counts = round_of_files.run_round()
    words = [f"{plural(counts[state], 'file')} {_WORDS[state]}." for state in _WORDS if counts[state]]
    return round_of_files.failures.end_job(words or ["No file was to be imported."])


class FolderRound:
    """One round over the folder, which no other process works on meanwhile."""

    def __init__(self, folder: WatchedFolder, settings: FolderSettings, progress: JobProgress) -> None:
        self.folder, self.settings, self.progress = folder, settings, progress
        self.counts: Counter[str] = Counter()
        self.failures = ItemFailures("file")

    def run_round(self) -> Counter[str]:
        """Finish what was begun, then take what has arrived; return the number of files by state."""
        now = clock.now()
        with transaction():
            delete_expired_files(now)
        self._settle_answered_files()
        for file in queries.list_open_files():
            with self.failures.of(file.id):
                if file.state != "waiting":
                    self._finish_move(file)
        for entry in self.folder.list_waiting():
            with self.failures.of(f"waiting in {entry.kind}/{entry.profile}"):
                if queries.find_open_file(entry) is None:
                    self._take_file(entry)
        for arrival in self.folder.list_arrivals().complete:
            with self.failures.of(f"arrived in {arrival.kind}/{arrival.profile}"):
                self._take_arrival(arrival)
        self.folder.remove_expired(clock.today() - timedelta(days=self.settings.kept_days))
        return self.counts

    def _take_arrival(self, arrival: FolderEntry) -> None:
        if (arrival.kind, arrival.profile) in queries.list_held_up_profiles():
            return
        if claimed := self.folder.claim_file(arrival):
            self._take_file(claimed)

    def _settle_answered_files(self) -> None:
        for file, run in queries.list_answered_files():
            away = DONE if run.ended_as == "applied" else QUARANTINE
            with self.failures.of(file.id), transaction():
                place = self.folder.choose_place(away, clock.today(), _entry_of(file))
                records.record_answer(file, run, place, at=clock.now())

    def _take_file(self, entry: FolderEntry) -> None:
        """Decide about a file in ``waiting``, write what becomes of it, and put it away."""
        self.progress.report_progress(self.counts.total(), self.counts.total() + 1, entry.place)
        size = self.folder.size_of(entry)
        try:
            content = self.folder.read_file(entry, MOST_BYTES)
        except RuleError as error:
            self._record_file(TakenFile(entry, size), Verdict("quarantined", [str(error)]))
            return
        except PermissionError:
            self._record_file(TakenFile(entry, size), Verdict("quarantined", [UNREADABLE]))
            return
        file = TakenFile(entry, len(content), hashlib.sha256(content).hexdigest())
        for _ in range(TRIES):
            verdict = self._examine_file(file, content)
            try:
                self._record_file(file, verdict)
            except MovedError:
                continue  # the next examination shows whether what was recorded meanwhile matters
            except (DataError, IntegrityError):
                self._record_file(file, _refuse_unexpectedly(entry))
            return
        raise MovedError

    def _examine_file(self, file: TakenFile, content: bytes) -> Verdict:
        def report_step(_step: int, text: str) -> None:
            self.progress.report_progress(self.counts.total(), self.counts.total() + 1, text)

        try:
            verdict = examine_file(
                file.entry, content, file.sha256 or "", self.settings.most_ended, report_step
            )
            if verdict.state == "imported" and verdict.result is not None:
                verdict.result.stage(report_step)
        except (BusyError, UnwritableError, SQLAlchemyError, OSError, CancelledError):
            raise  # not the file's fault: the next round tries again
        except Exception:  # one bad file holds up no other
            db.session.rollback()
            return _refuse_unexpectedly(file.entry)
        return verdict

    def _record_file(self, file: TakenFile, verdict: Verdict) -> None:
        away = QUARANTINE if verdict.state == "quarantined" else DONE
        place = self.folder.choose_place(away, clock.today(), file.entry)
        if verdict.state == "waiting":
            place = f"waiting/{file.entry.place}"
        with transaction(), enlarged_page_cache():
            row = records.record_file(file, verdict, place, at=clock.now())
        self.counts[verdict.state] += 1
        if verdict.state != "waiting":
            self._finish_move(row)

    def _finish_move(self, file: FolderFile) -> None:
        """Move a file of which the database says what became, unless that was done before.

        One that was written on after it was read stays, and the next round takes it as a new file.
        """
        entry = _entry_of(file)
        if self.folder.is_waiting(entry) and self.folder.size_of(entry) == file.size:
            self.folder.put_away(entry, file.place)
        with transaction():
            file.moved = True


def _refuse_unexpectedly(entry: FolderEntry) -> Verdict:
    """The verdict on a file that causes the exception under way, which is logged."""
    _log.exception("folder.file_failed", kind=entry.kind, profile=entry.profile)
    return Verdict("quarantined", [UNEXPECTED])


def _entry_of(file: FolderFile) -> FolderEntry:
    return FolderEntry(file.kind, file.profile, file.name)
