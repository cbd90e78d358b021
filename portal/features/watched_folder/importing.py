"""The job that imports the files of the watched folder.

It may be cut off at any moment. What becomes of a file is one transaction, and its move follows. The next
round makes up for a move that was cut off, so no file is imported twice and none is lost.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from config import Config
from portal.domain.imports import services
from portal.domain.imports.check_result import CheckResult, EndedPosts, MovedError, RowFault, Tell
from portal.domain.imports.columns import (
    DEFAULT,
    TARGETS,
    WIDE,
    WIDE_OPTIONAL,
    ColumnMapping,
    open_for_profile,
)
from portal.domain.imports.models import ImportRun
from portal.domain.imports.queries import has_expired_files, list_profiles
from portal.domain.imports.services import CHECKS, Upload, delete_expired_files
from portal.domain.imports.values import read_values, word_as_file
from portal.domain.people.roster_plan import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from portal.features.watched_folder.folder import (
    DONE,
    QUARANTINE,
    Arrivals,
    FolderEntry,
    FolderSettings,
    WatchedFolder,
    list_unknown_users,
    read_own_settings,
)
from portal.features.watched_folder.models import FolderFile, FolderLook
from portal.platform import clock
from portal.platform.audit import Channel, Origin, log, originating_from
from portal.platform.bulk import enlarged_page_cache
from portal.platform.db import db, transaction
from portal.platform.errors import (
    BadInputError,
    BusyError,
    NotFoundError,
    RuleError,
    UnknownValueError,
    UnwritableError,
)
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import CancelledError
from portal.platform.jobs.registry import ItemFailures, JobProgress, Routine, Task
from portal.platform.jobs.services import is_idle_since
from portal.platform.observability.logs import get_logger
from portal.platform.operations.doctor import SetUpFinding, State
from portal.platform.tables.table_files import MOST_BYTES, Sheet
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

# Queries about files of the watched folder: which wait, which were imported, and what the page shows.

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


# Reasons against a file as they may go by mail: with lines and columns, without values of the file.
#
# A mail leaves the portal, and reasons name staff numbers and addresses. The page of imports has them in
# full.

HIDDEN = "…"
MOST_LINES = 50
_QUOTED = re.compile(r"“([^”]*)”|(?<!\w)'([^']*)'|\"([^\"]*)\"")
_TOKEN = re.compile(r"(?<!\w)[\w@.+-]*[\w@]")
_PLAIN = {
    "CSV",
    "RFC",
    "XLSX",
    "UTF-8",
    "UTF-16",
    "2026-04-30",
}  # in capitals or digits, and no value of a file
_OUR_NAMES = {
    *DEFAULT, *WIDE, *WIDE_OPTIONAL, *REQUIRED_COLUMNS, *OPTIONAL_COLUMNS,
    *(name for targets in TARGETS.values() for target in targets for name in (target.name, target.label)),
}  # fmt: skip


def list_safe_lines(
    faults: Iterable[RowFault], sheet: Sheet | None = None, names: Iterable[str] = ()
) -> list[str]:
    """The first reasons, each with its line; values of the file are left out.

    Args:
        faults: Why rows are bad.
        sheet: The file, whose cells are looked for in the reasons.
        names: Of its columns, beside our own; they may be said.
    """
    kept = _OUR_NAMES | set(names)
    every_fault = list(faults)
    listed = every_fault[:MOST_LINES]
    lines = {fault.line for fault in listed}
    cells = {line: values for line, values in sheet.lines if line in lines} if sheet else {}
    safe = [_format_line(fault, kept, cells.get(fault.line, ())) for fault in listed]
    more = len(every_fault) - len(listed)
    return [*safe, f"{more:,} more."] if more else safe


def _format_line(fault: RowFault, kept: Collection[str], cells: Collection[str]) -> str:
    reason = hide_values(fault.reason, kept, cells)
    return f"Line {fault.line}: {reason}" if fault.line else reason


def hide_values(reason: str, kept: Collection[str], cells: Collection[str] = ()) -> str:
    """The reason without what may be a value of the file: quoted, with digits or @, in capitals, or a cell.

    >>> hide_values("email 'hale@west.example' is that of B7 too.", {"email"})
    'email ‘…’ is that of … too.'
    """
    parts: list[str] = []
    end = 0
    for quoted in _QUOTED.finditer(reason):
        inner = next(group for group in quoted.groups() if group is not None)
        parts.append(_hide_tokens(reason[end : quoted.start()], kept, cells))
        parts.append(quoted[0] if inner in kept else f"‘{HIDDEN}’")
        end = quoted.end()
    return "".join([*parts, _hide_tokens(reason[end:], kept, cells)])


def _hide_tokens(text: str, kept: Collection[str], cells: Collection[str]) -> str:
    words = {word for cell in cells if not cell.strip().islower() for word in (cell.strip(), *cell.split())}

    def hide_token(match: re.Match[str]) -> str:
        token = match[0]
        if token in kept or token in _PLAIN or (token.isdecimal() and len(token) <= 3 and token not in words):
            return token
        is_value = token in words or "@" in token or any(character.isdigit() for character in token)
        return HIDDEN if is_value or (len(token) > 1 and token.isupper()) else token

    return _TOKEN.sub(hide_token, text)


# Examines a file of the watched folder, without a lock: is it imported, held for a person, or set aside?


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a file, and why."""

    state: str  # of the `FolderFile`
    reasons: Sequence[str] = ()  # without values of the file
    upload: Upload | None = None  # of a file that could be read as a table
    result: CheckResult | None = None
    asks_values: bool = False  # a person is to say what values mean


def examine_file(entry: FolderEntry, content: bytes, sha256: str, most_ended: int, tell: Tell) -> Verdict:
    """Decide about a file.

    Args:
        entry: Its kind, profile and name.
        content: Its bytes.
        sha256: Of the bytes.
        most_ended: The per cent of posts that it may end without a person's confirmation.
        tell: Is told how far it is; may raise to stop it.
    """
    earlier = find_earlier_import(entry, sha256)
    if earlier and earlier.is_newest:
        return Verdict("repeated")
    try:
        sheet, mapping = open_for_profile(content, entry.name, entry.kind, entry.profile)
    except UnknownValueError as error:  # names profiles
        return Verdict("quarantined", error.reasons)
    except BadInputError as error:
        faults, names = map(RowFault.from_reason, error.reasons), _columns_of_profile(entry)
        return Verdict("quarantined", list_safe_lines(faults, names=names))
    upload = Upload(entry.kind, entry.name, content, sheet, mapping, entry.profile, from_folder=True)
    try:
        result = CHECKS[entry.kind](sheet, mapping, tell)
    except (BadInputError, RuleError, NotFoundError) as error:
        return Verdict("quarantined", list_safe_lines(map(RowFault.from_reason, str(error).splitlines())))
    if result.faults:
        return _judge_faults(upload, result, sheet, mapping)
    reasons = [
        *_say_new_values(result),
        *_say_ended_posts(result.posts, most_ended),
        *_say_earlier(earlier, result),
    ]
    return Verdict("waiting" if reasons else "imported", reasons, upload, result)


def _columns_of_profile(entry: FolderEntry) -> set[str]:
    """The names of columns that a saved profile looks for; none of a built-in one."""
    saved = (profile for profile in list_profiles(entry.kind) if profile.name == entry.profile)
    return {name for profile in saved for name in ColumnMapping.from_json(profile.columns).columns.values()}


def _judge_faults(upload: Upload, result: CheckResult, sheet: Sheet, mapping: ColumnMapping) -> Verdict:
    """A file that only asks what values mean waits for a person; any other with bad rows is set aside."""
    questions = read_values(sheet, mapping).questions
    asked = word_as_file((question.reason for question in questions), sheet, mapping)
    if set(result.faults) <= set(map(RowFault.from_reason, asked)):
        reason = f"A person has to say what {plural(len(questions), 'new value', 'new values')} of it mean."
        return Verdict("waiting", [reason], upload, result, asks_values=True)
    return Verdict(
        "quarantined", list_safe_lines(result.faults, sheet, mapping.columns.values()), upload, result
    )


def _say_new_values(result: CheckResult) -> list[str]:
    """Nobody was asked about values of the portal's own format; the import's page names them."""
    if not result.unasked:
        return []
    values = plural(len(result.unasked), "new rank or role", "new ranks or roles")
    return [f"A person has to confirm {values} of it: perhaps mistyped, or named by no directive."]


def _say_ended_posts(posts: EndedPosts, most_ended: int) -> list[str]:
    if posts.ended * 100 <= posts.current * most_ended:
        return []
    percent = posts.ended * 100 // posts.current
    return [
        f"It would end {posts.ended:,} of {plural(posts.current, 'post')} ({percent}%). "
        f"A person has to confirm more than {most_ended}%."
    ]


def _say_earlier(earlier: EarlierImport | None, result: CheckResult) -> list[str]:
    if earlier is None or result.is_empty:
        return []
    return [
        f"The same file was imported on {date_words(earlier.at)}, and others after it. It would undo those."
    ]


# Writes what becomes of a file of the watched folder, in the caller's transaction.

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
    settings = read_own_settings()
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
        for file in list_open_files():
            with self.failures.of(file.id):
                if file.state != "waiting":
                    self._finish_move(file)
        for entry in self.folder.list_waiting():
            with self.failures.of(f"waiting in {entry.kind}/{entry.profile}"):
                if find_open_file(entry) is None:
                    self._take_file(entry)
        for arrival in self.folder.list_arrivals().complete:
            with self.failures.of(f"arrived in {arrival.kind}/{arrival.profile}"):
                self._take_arrival(arrival)
        self.folder.remove_expired(clock.today() - timedelta(days=self.settings.kept_days))
        return self.counts

    def _take_arrival(self, arrival: FolderEntry) -> None:
        if (arrival.kind, arrival.profile) in list_held_up_profiles():
            return
        if claimed := self.folder.claim_file(arrival):
            self._take_file(claimed)

    def _settle_answered_files(self) -> None:
        for file, run in list_answered_files():
            away = DONE if run.ended_as == "applied" else QUARANTINE
            with self.failures.of(file.id), transaction():
                place = self.folder.choose_place(away, clock.today(), _entry_of(file))
                record_answer(file, run, place, at=clock.now())

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
            row = record_file(file, verdict, place, at=clock.now())
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


# Looks at the watched folder every minute, beside the worker's jobs, and starts one when there is work.

SECONDS = 60.0
REST = timedelta(minutes=2)  # between two jobs
UNCHANGED = timedelta(minutes=5)  # a look that sees the same as the last one is recorded after so long
NOTHING = Arrivals([], [], [])


def look_at_folder(_stopping: Event) -> None:
    """Record what is in the folder, and start a job if a file can be taken or put away. Edge: it commits."""
    settings = read_own_settings()
    if not settings.path:
        return
    folder = WatchedFolder(settings)
    fault = folder.make_folders()
    arrivals = NOTHING if fault else folder.list_arrivals()
    has_work = not fault and _has_work(folder, settings, arrivals)
    now = clock.now()
    with originating_from(Origin(Channel.JOB, ACTOR)):
        if _is_news(fault, arrivals.count, arrivals.refused):
            with transaction():
                record_look(fault=fault, arrived=arrivals.count, refused=arrivals.refused, at=now)
        if has_work and is_idle_since(JOB, now - REST):
            with transaction():
                jobs.start_job(JOB, {}, by=None, at=now)


def _is_news(fault: str, arrived: int, refused: list[str]) -> bool:
    look = get_look()
    if look is None or clock.now() - look.looked_at >= UNCHANGED:
        return True
    return (look.fault, look.arrived, look.refused) != (fault, arrived, refused)


def _has_work(folder: WatchedFolder, settings: FolderSettings, arrivals: Arrivals) -> bool:
    """Whether a round would do anything."""
    held_up = list_held_up_profiles()
    open_files = list_open_files()
    open_places = {(file.kind, file.profile, file.name) for file in open_files}
    return (
        any((entry.kind, entry.profile) not in held_up for entry in arrivals.complete)
        or any(file.state != "waiting" for file in open_files)
        or bool(list_answered_files())
        or (bool(open_files) and has_expired_files(clock.now()))
        or any(tuple(entry) not in open_places for entry in folder.list_waiting())
        or bool(folder.list_expired(clock.today() - timedelta(days=settings.kept_days)))
    )


# What ``flask doctor`` finds of it.


def examine_folder(config: Config) -> Iterator[SetUpFinding]:
    """Whether the folder can be used, where one is watched."""
    settings: FolderSettings = config.feature_settings["watched_folder"]
    if settings.path:
        yield _examine(settings)


def _examine(settings: FolderSettings) -> SetUpFinding:
    folder, subject = WatchedFolder(settings), "imports"
    if fault := folder.find_fault():
        return SetUpFinding(State.WRONG, subject, fault)
    if unknown := list_unknown_users(settings.owners):
        sentence = f"IMPORT_FOLDER_OWNERS names users that this machine has not: {', '.join(unknown)}."
        return SetUpFinding(State.WRONG, subject, sentence)
    if shut := folder.list_shut_profiles():
        sentence = f"{shut[0]} cannot be written: make the portal's user its owner."
        return SetUpFinding(State.WRONG, subject, sentence)
    profiles = len(folder.list_profile_folders())
    if not profiles:
        sentence = f"{folder.root} has no profile's folder yet, such as incoming/roster/default."
        return SetUpFinding(State.NOTE, subject, sentence)
    return SetUpFinding(
        State.RIGHT, subject, f"{folder.root} is watched: {plural(profiles, 'folder')} of profiles."
    )


TASKS = (Task(JOB, "Import of the watched folder", run_folder, page=lambda _arguments: "/imports"),)
ROUTINES = (Routine("watched folder", look_at_folder, seconds=SECONDS),)
