"""Reading of ``exercise.toml`` with the injects and sheets that belong to it. Pure."""

from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.sources.folder_reader import KEY_PATTERN, decode_text
from portal.domain.exercises.sources.exercise_folder import (
    EXERCISE_FILE,
    SHEETS,
    inject_path,
    refuse_paths,
)
from portal.domain.exercises.sources.inject_source import InjectText, read_inject
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Source, Table, read_key

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
