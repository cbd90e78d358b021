"""Reading of ``exercise.toml`` with the injects and sheets that belong to it. Pure."""

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypedDict, get_args

from portal.domain.catalogue.source_files import (
    KEY_PATTERN,
    MAX_TEXT_BYTES,
    FrontMatter,
    decode_text,
    read_folder,
    read_front_matter,
)
from portal.platform.errors import BadInputError
from portal.platform.formats.toml_tables import Faults, Source, Table, read_key
from portal.platform.formats.zip_archives import (
    ArchiveError,
    EncryptedArchiveError,
    ZipArchive,
    ZipEntry,
    read_archive,
)

# The shape of a published exercise's content, as ``ExerciseVersion.content`` holds it.

QuestionKind = Literal["decision", "choice", "ranking", "text"]


class QuestionChoice(TypedDict):
    """One choice of a question of kind choice or ranking."""

    key: str
    html: str  # safe inline HTML


class InjectQuestion(TypedDict):
    """A question that a syndicate answers in its log; nothing is marked."""

    key: str  # unique within the exercise
    kind: QuestionKind
    prompt_html: str  # safe inline HTML
    reason: bool  # the syndicate gives its reason with the answer
    choices: list[QuestionChoice]  # of kind choice or ranking; else empty


class Inject(TypedDict):
    """A piece of material with its questions.

    It is released when the exercise's clock reaches ``minute``, or by hand where that is None.
    """

    key: str  # unique within the exercise
    title: str
    minute: int | None
    cue: str  # for the facilitator: when to release it by hand; "" with a minute
    syndicates: list[int]  # who gets it; empty: all
    turning_point: bool
    html: str  # safe; slots {{force:key}} as in lessons
    facilitator_html: str  # for the control page alone
    questions: list[InjectQuestion]


class PlenaryPrompt(TypedDict):
    """What the room is asked in the plenary; answered by anonymous statements."""

    key: str
    prompt_html: str
    compares: list[str]  # keys of the questions whose answers are shown side by side with it


class ExerciseContent(TypedDict):
    """All that a run needs."""

    roles: list[str]  # duties whose supervisors decide something in it, in words
    briefing_html: str  # shown to all before the start
    facilitator_html: str
    injects: list[Inject]  # in order
    plenary: list[PlenaryPrompt]
    debrief_html: str  # shown after the end


# The files of an exercise's folder: which paths the format allows, and how they are read.

EXERCISE_FILE = "exercise.toml"
BRIEFING, FACILITATOR, DEBRIEF = "briefing.md", "facilitator.md", "debrief.md"
SHEETS = (BRIEFING, FACILITATOR, DEBRIEF)
EXERCISE_PATHS = (
    re.compile(r"exercise\.toml"),
    *(re.compile(re.escape(name)) for name in SHEETS),
    re.compile(r"injects/[^/]+\.md"),
    re.compile(r"media/[^/]+"),
)


def inject_path(key: str) -> str:
    """The path of an inject in its exercise's folder.

    >>> inject_path("first-call")
    'injects/first-call.md'
    """
    return f"injects/{key}.md"


def read_exercise(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Read every file of one exercise's folder by its path, in order; links and other paths are refused."""
    return read_folder(folder, faults, EXERCISE_PATHS, _misplaced_reason)


def is_exercise(folder: Path) -> bool:
    """Whether the folder is that of one exercise: it has ``exercise.toml``, or injects if that is missing."""
    injects = folder / "injects"
    is_inside = (injects / EXERCISE_FILE).exists()  # an exercise whose key is “injects”
    return (folder / EXERCISE_FILE).is_file() or (injects.is_dir() and not is_inside)


def exercise_folders(folder: Path, faults: Faults) -> list[Path]:
    """Return the exercises' folders in the folder of all exercises, by name; anything else is refused."""
    folders = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            faults.add(path.name, None, "Links are not followed. Put the folder itself here.")
        elif path.is_dir():
            folders.append(path)
        else:
            reason = f"“{path.name}” is not an exercise's folder. Take it out of the folder of exercises."
            faults.add(path.name, None, reason)
    return folders


def refuse_paths(key: str, files: dict[str, bytes], faults: Faults) -> None:
    """Add a fault for each path that the format does not allow."""
    for path in files:
        if not any(pattern.fullmatch(path) for pattern in EXERCISE_PATHS):
            faults.add(f"{key}/{path}", None, _misplaced_reason(path))


def _misplaced_reason(name: str) -> str:
    return (
        f"“{name}” does not belong in an exercise. An exercise may contain {EXERCISE_FILE}, {BRIEFING},"
        f" {FACILITATOR}, {DEBRIEF}, injects/name.md and media/name."
    )


# Reading of one inject: its questions, what the syndicates see, and the facilitator's notes.

FACILITATOR_HEADING = "## For the facilitator"
KINDS: dict[str, QuestionKind] = {kind: kind for kind in get_args(QuestionKind)}
WITH_CHOICES = frozenset({"choice", "ranking"})
MOST_SYNDICATES = 50
MOST_CHOICES = 12

_NOTES = re.compile(r"(?m)^## For the facilitator[ \t]*$")


@dataclass(frozen=True)
class AskedQuestion:
    """A question as written."""

    key: str
    kind: QuestionKind
    role: str  # whose decision it is; "" for the whole syndicate
    prompt: str
    reason: bool
    choices: list[tuple[str, str]]  # key and text
    line: int


@dataclass(frozen=True)
class InjectText:
    """An inject as written."""

    key: str
    title: str
    minute: int | None
    cue: str
    after: str  # key of the turning point that it continues; "" for none
    syndicates: list[int]
    turning_point: bool
    sources: list[str]
    questions: list[AskedQuestion]
    body: str
    body_line: int
    notes: str
    notes_line: int
    path: str  # shown in faults
    head: Table


def read_inject(exercise: str, key: str, files: dict[str, bytes], faults: Faults) -> InjectText | None:
    """Read the inject ``key``; None, with a fault added, if its front matter cannot be read."""
    path = inject_path(key)
    shown_path = f"{exercise}/{path}"
    if not KEY_PATTERN.fullmatch(key):
        faults.add(shown_path, None, "Name the file with small letters, digits and single hyphens.")
        return None
    head = read_front_matter(files[path], shown_path, faults)
    if head is None:
        return None
    body, notes, notes_line = _split_notes(head, shown_path, faults)
    minute, cue = _read_release(head.table)
    inject = InjectText(
        key=key,
        title=head.table.text("title"),
        minute=minute,
        cue=cue,
        after=head.table.text("after", required=False),
        syndicates=_read_syndicates(head.table),
        turning_point=head.table.flag("turning_point"),
        sources=head.table.texts("sources"),
        questions=_read_questions(head.table),
        body=body,
        body_line=head.body_line,
        notes=notes,
        notes_line=notes_line,
        path=shown_path,
        head=head.table,
    )
    head.table.close()
    return inject


def _split_notes(head: FrontMatter, path: str, faults: Faults) -> tuple[str, str, int]:
    """What the syndicates see, the facilitator's notes, and the line on which these begin."""
    marks = list(_NOTES.finditer(head.body))
    if len(marks) != 1:
        line = head.body_line + (head.body.count("\n", 0, marks[1].start()) if marks else 0)
        reason = f"Write the heading “{FACILITATOR_HEADING}” once, after what the syndicates see."
        faults.add(path, line, reason)
        return head.body, "", head.body_line
    body, notes = head.body[: marks[0].start()], head.body[marks[0].end() :]
    line = head.body_line + head.body.count("\n", 0, marks[0].end())
    if not body.strip() and head.body.strip():
        faults.add(path, head.body_line, "Write what the syndicates see above the facilitator's notes.")
    if not notes.strip():
        faults.add(path, line, "Write below this heading what the facilitator must know.")
    return body, notes, line


def _read_release(table: Table) -> tuple[int | None, str]:
    """The minute or the cue: one of them, not both."""
    if table.has("minute") == table.has("cue"):
        table.fault("minute", "Give the inject a minute, or a cue to release it by hand: one of them.")
    minute = table.number("minute", least=0) if table.has("minute") else None
    return minute, table.text("cue", required=False)


def _read_syndicates(table: Table) -> list[int]:
    numbers = table.numbers("syndicates")
    if any(number > MOST_SYNDICATES for number in numbers):
        table.fault("syndicates", f"There are never more than {MOST_SYNDICATES} syndicates.")
    return numbers


def _read_questions(table: Table) -> list[AskedQuestion]:
    return [_read_question(row) for row in table.tables("question")] if table.has("question") else []


def _read_question(table: Table) -> AskedQuestion:
    kind = table.text("kind")
    if kind and kind not in KINDS:
        table.fault("kind", f"“{kind}” is not a kind of question. Use {', '.join(KINDS)}.")
    question = AskedQuestion(
        key=read_key(table),
        kind=KINDS.get(kind, "text"),
        role=table.text("role", required=False),
        prompt=table.text("prompt"),
        reason=table.flag("reason"),
        choices=_read_choices(table, kind),
        line=table.line,
    )
    table.close()
    return question


def _read_choices(table: Table, kind: str) -> list[tuple[str, str]]:
    if kind not in WITH_CHOICES:
        if table.has("choice"):
            table.fault("choice", f"A question of kind {kind} has no choices. Take them out.")
            table.tables("choice")
        return []
    choices: list[tuple[str, str]] = []
    for row in table.tables("choice", "[[question.choice]]"):
        key, text = read_key(row), row.text("text")
        if key and key in {earlier_key for earlier_key, _ in choices}:
            row.fault("key", f"“{key}” is used twice. Give each choice a key of its own.")
        choices.append((key, text))
        row.close()
    if not 2 <= len(choices) <= MOST_CHOICES:
        table.fault("choice", f"Write 2 to {MOST_CHOICES} choices.")
    return choices


MOST_MINUTES = 24 * 60
MOST_INJECTS = 200
LONGEST_TITLE = 120


@dataclass(frozen=True)
class PromptText:
    """A prompt of the plenary as written."""

    key: str
    prompt: str
    compares: list[str]
    line: int


@dataclass(frozen=True)
class ExerciseText:
    """An exercise as written."""

    key: str
    title: str
    summary: str
    owner: str
    review_on: date
    minutes: int
    roles: list[str]
    injects: list[InjectText]
    plenary: list[PromptText]
    sheets: dict[str, str]  # the texts of briefing, notes and debrief, by path
    files: dict[str, bytes]
    head: Table

    @property
    def path(self) -> str:
        """The path of ``exercise.toml``, shown in faults."""
        return f"{self.key}/{EXERCISE_FILE}"


def parse_exercise(key: str, files: dict[str, bytes], faults: Faults) -> ExerciseText | None:
    """Read the files of the exercise ``key``; None, with a fault, if ``exercise.toml`` cannot be read."""
    if not KEY_PATTERN.fullmatch(key):
        faults.add(key, None, "Name the folder with small letters, digits and single hyphens.")
    refuse_paths(key, files, faults)
    shown_path = f"{key}/{EXERCISE_FILE}"
    if EXERCISE_FILE not in files:
        faults.add(shown_path, None, "There is no such file. It says the exercise's title and its injects.")
        return None
    text = decode_text(files[EXERCISE_FILE], shown_path, faults)
    root = Source(text, shown_path, faults).root() if text is not None else None
    if root is None:
        return None
    exercise = ExerciseText(
        key=key,
        title=_read_title(root),
        summary=root.text("summary"),
        owner=root.text("owner"),
        review_on=root.day("review_on"),
        minutes=_read_minutes(root),
        roles=root.texts("roles"),
        injects=_read_injects(key, root, files, faults),
        plenary=[_read_prompt(row) for row in root.tables("plenary")],
        sheets=_read_sheets(key, files, faults),
        files=files,
        head=root,
    )
    root.close()
    return exercise


def _read_title(root: Table) -> str:
    title = root.text("title")
    if len(title) > LONGEST_TITLE:
        root.fault("title", f"Keep the title under {LONGEST_TITLE} characters.")
    return title


def _read_minutes(root: Table) -> int:
    minutes = root.number("minutes", least=1)
    if minutes > MOST_MINUTES:
        root.fault("minutes", f"An exercise lasts {MOST_MINUTES} minutes at most.")
    return minutes


def _read_injects(key: str, root: Table, files: dict[str, bytes], faults: Faults) -> list[InjectText]:
    keys = root.texts("injects")
    if len(keys) > MOST_INJECTS:
        root.fault("injects", f"There are {len(keys)} injects. Write {MOST_INJECTS} at most.")
        return []
    for name in keys:
        if inject_path(name) not in files:
            root.fault("injects", f"There is no {inject_path(name)}. Add it, or take “{name}” out.")
    for path in files:
        name = path.removeprefix("injects/").removesuffix(".md")
        if path.startswith("injects/") and name not in keys:
            faults.add(f"{key}/{path}", None, f"{EXERCISE_FILE} does not name it. Add “{name}” to injects.")
    known_names = [name for name in keys if inject_path(name) in files]
    return [inject for name in known_names if (inject := read_inject(key, name, files, faults))]


def _read_prompt(table: Table) -> PromptText:
    compares = table.texts("compares", required=False)
    prompt = PromptText(read_key(table), table.text("prompt"), compares, table.line)
    table.close()
    return prompt


def _read_sheets(key: str, files: dict[str, bytes], faults: Faults) -> dict[str, str]:
    """The texts of the three sheets; a fault for one that is missing or empty."""
    sheets = {}
    for name in SHEETS:
        text = decode_text(files[name], f"{key}/{name}", faults) if name in files else ""
        if text is not None and not text.strip():
            faults.add(f"{key}/{name}", None, "There is no such file, or nothing in it. Write it.")
        sheets[name] = text or ""
    return sheets


# An exercise's folder as a ZIP: packed for the person who changes it, and opened again within limits.
#
# Nothing is unpacked to disk. An archive that two programs could read differently is refused as a whole,
# as are links, names that lead elsewhere, and anything that unpacks to more than it says.

MEBIBYTE = 1024 * 1024
MOST_ARCHIVE_BYTES = 24 * MEBIBYTE  # as sent
MOST_UNPACKED_BYTES = 64 * MEBIBYTE  # of all files together
MOST_MEDIUM_BYTES = 25 * MEBIBYTE
MOST_FILES = 400
_OF_FINDERS = ("__MACOSX/", ".DS_Store")  # what one system adds unasked
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes
_UNIX = 3


def pack_exercise(key: str, files: dict[str, bytes]) -> bytes:
    """The folder as a ZIP; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{key}/{path}", _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, _UNIX
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return packed.getvalue()


def open_exercise(content: bytes) -> tuple[str, dict[str, bytes]]:
    """The exercise's key, which is the name of the one folder in the ZIP, and its files by path."""
    if len(content) > MOST_ARCHIVE_BYTES:
        raise BadInputError([f"The ZIP may have up to {MOST_ARCHIVE_BYTES // MEBIBYTE} MB."])
    archive = _read_bounded(content)
    entries = [entry for entry in archive.entries if not _is_left_out(entry.name)]
    key = _only_folder(entries)
    files = {
        entry.name.removeprefix(f"{key}/"): _unpack_entry(archive, entry)
        for entry in entries
        if not entry.name.endswith("/")
    }
    return key, dict(sorted(files.items()))


def _read_bounded(content: bytes) -> ZipArchive:
    try:
        archive = read_archive(content)
    except EncryptedArchiveError as error:
        raise BadInputError(["The ZIP is locked with a password. Pack it without one."]) from error
    except ArchiveError as error:
        raise BadInputError([f"The ZIP is refused: {error} Pack the folder again."]) from error
    if len(archive.entries) > MOST_FILES:
        raise BadInputError([f"The ZIP has more than {MOST_FILES} files."])
    for entry in archive.entries:
        limit = MOST_MEDIUM_BYTES if "/media/" in entry.name else MAX_TEXT_BYTES
        if entry.unpacked > limit:
            raise BadInputError([f"Keep {entry.name} under {limit // 1024} KB."])
    if sum(entry.unpacked for entry in archive.entries) > MOST_UNPACKED_BYTES:
        raise BadInputError([f"Unpacked, the ZIP has more than {MOST_UNPACKED_BYTES // MEBIBYTE} MB."])
    return archive


def _is_left_out(name: str) -> bool:
    return name.startswith(_OF_FINDERS[0]) or name.rpartition("/")[2] == _OF_FINDERS[1]


def _only_folder(entries: list[ZipEntry]) -> str:
    tops = {entry.name.partition("/")[0] for entry in entries}
    is_folder = all("/" in entry.name for entry in entries)
    if len(tops) != 1 or not is_folder:
        raise BadInputError(
            ["Pack the exercise's folder itself: the ZIP must hold one folder, whose name is its key."]
        )
    return tops.pop()


def _unpack_entry(archive: ZipArchive, entry: ZipEntry) -> bytes:
    try:
        return b"".join(archive.unpack_pieces(entry))
    except ArchiveError as error:
        raise BadInputError([f"{entry.name} is damaged: {error} Pack the folder again."]) from error
