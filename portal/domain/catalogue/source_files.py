"""Files of the catalogue: folders, front matter, shared files, and items as written."""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.domain.people.staff_numbers import DUTIES
from portal.platform.errors import BadInputError, listed_words
from portal.platform.formats.toml_tables import LONGEST_KEY, Faults, Source, Table, read_key

# Reading of folders into memory; files outside the folder are not followed, unknown ones are refused.

COMMON_SENSE = "common-sense.toml"  # beside a module's bank, for its audit alone: no learner is shown it
KEY_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MODULE_PATHS = (
    re.compile(r"module\.toml"),
    re.compile(r"job-aid\.md"),
    re.compile(re.escape(COMMON_SENSE)),
    re.compile(r"briefing\.md"),
    re.compile(r"lessons/[^/]+\.(?:md|toml)"),
    re.compile(r"items/[^/]+\.toml"),
    re.compile(r"media/[^/]+"),
)
INVISIBLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f\\ufeff]")
GUIDES_FOLDER = "_guides"
GUIDE_PATHS = (re.compile(r"[^/]+\.md"), re.compile(r"media/[^/]+"))
MAX_FILES = 1_000
MAX_TEXT_BYTES = 512 * 1024  # bytes of one text file
MAX_MEDIA_BYTES = 64 * 1024 * 1024  # bytes of one media file
MAX_FOLDER_BYTES = 256 * 1024 * 1024  # bytes of one module

SHARED_FILE_NAMES = ("_sources.toml", "_force.toml", "_glossary.toml")


def read_folder(
    folder: Path,
    faults: Faults,
    places: Sequence[re.Pattern[str]] = MODULE_PATHS,
    misplaced: Callable[[str], str] | None = None,
) -> dict[str, bytes]:
    """Read every file of a module's folder, or another's, by its path with ``/``, in order.

    Links and special files are not followed but refused; so is a file whose path the format does not allow.

    Args:
        folder: The folder.
        faults: The list to which faults are added.
        places: The paths that the format allows.
        misplaced: Says of another path why it is refused; by default as for modules and guides.
    """
    files: dict[str, bytes] = {}
    total = 0
    for path in _list_files(folder, folder.name, faults):
        name = path.relative_to(folder).as_posix()
        shown_path = f"{folder.name}/{name}"
        if not any(place.fullmatch(name) for place in places):
            reason = misplaced(name) if misplaced else _misplaced_reason(name, folder.name)
            faults.add(shown_path, None, reason)
            continue
        content = _read_content(path, shown_path, faults)
        total += len(content)
        if len(files) >= MAX_FILES or total > MAX_FOLDER_BYTES:
            faults.add(
                folder.name,
                None,
                f"Keep this folder under {MAX_FILES} files and {MAX_FOLDER_BYTES >> 20} MB.",
            )
            break
        files[name] = content
    return dict(sorted(files.items()))


def read_shared(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Read the shared files in the folder of all modules; a missing one is left out."""
    files = {}
    for name in SHARED_FILE_NAMES:
        path = folder / name
        if path.is_symlink():
            faults.add(name, None, "Links are not followed. Put the file itself here.")
        elif path.is_file():
            files[name] = _read_content(path, name, faults)
    return files


def module_folders(folder: Path, faults: Faults) -> list[Path]:
    """Return the modules' folders in the folder of all modules, by name; anything else is refused."""
    folders = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            faults.add(path.name, None, "Links are not followed. Put the folder itself here.")
        elif path.is_dir() and not path.name.startswith("_"):
            folders.append(path)
        elif path.name not in SHARED_FILE_NAMES and path.name != GUIDES_FOLDER:
            faults.add(path.name, None, _not_a_module_reason(path))
    return folders


def read_guides(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Read every file of the guides in the folder of all modules; empty if there are none."""
    guides = folder / GUIDES_FOLDER
    if guides.is_symlink():
        return {}  # refused with the other links of the folder
    if guides.is_file():
        faults.add(GUIDES_FOLDER, None, "This must be a folder with one Markdown file for each guide.")
        return {}
    return read_folder(guides, faults, GUIDE_PATHS) if guides.is_dir() else {}


def decode_text(content: bytes, shown_path: str, faults: Faults) -> str | None:
    """Decode a file's text; None, with a fault added, if it is not UTF-8 with LF line ends."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        faults.add(shown_path, line, "Save the file as UTF-8.")
        return None
    invisible = INVISIBLE.search(text)
    if invisible is None:
        return text
    number = text.count("\n", 0, invisible.start()) + 1
    if invisible[0] == "\r":
        faults.add(shown_path, number, "End lines with LF alone, not CR LF.")
    else:
        faults.add(shown_path, number, f"Take out the invisible character U+{ord(invisible[0]):04X}.")
    return None


def _list_files(folder: Path, shown_path: str, faults: Faults) -> list[Path]:
    paths: list[Path] = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{shown_path}/{entry.name}"
        if entry.is_symlink():
            faults.add(name, None, "Links are not followed. Put the file itself here.")
        elif entry.is_dir(follow_symlinks=False):
            paths += _list_files(Path(entry.path), name, faults)
        elif entry.is_file(follow_symlinks=False):
            paths.append(Path(entry.path))
        else:
            faults.add(name, None, "Only files and folders can be published.")
    return paths


def _read_content(path: Path, shown_path: str, faults: Faults) -> bytes:
    limit = MAX_MEDIA_BYTES if path.parent.name == "media" else MAX_TEXT_BYTES
    if path.stat().st_size > limit:
        faults.add(shown_path, None, f"Keep this file under {limit // 1024} KB.")
        return b""
    return path.read_bytes()


def _misplaced_reason(name: str, folder: str) -> str:
    if folder == GUIDES_FOLDER:
        return f"“{name}” does not belong among guides. The folder may contain name.md and media/name."
    return (
        f"“{name}” does not belong in a module. A module may contain module.toml, job-aid.md,"
        " briefing.md, lessons/name.md, lessons/name.toml, items/name.toml and media/name."
    )


def _not_a_module_reason(path: Path) -> str:
    if path.name.startswith("_"):
        return f"“{path.name}” is not known. Shared files are {', '.join(SHARED_FILE_NAMES)}."
    return f"“{path.name}” is not a module's folder. Take it out of the folder of modules."


# Front matter of Markdown files: TOML between two lines of ``+++``, then the text.


@dataclass(frozen=True)
class FrontMatter:
    """The front matter and the body of a Markdown file."""

    table: Table
    body: str
    body_line: int  # the line of the file on which the body begins


def read_front_matter(content: bytes, shown_path: str, faults: Faults) -> FrontMatter | None:
    """Split the file into front matter and body; None, with a fault added, if it cannot be read."""
    text = decode_text(content, shown_path, faults)
    if text is None:
        return None
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        faults.add(shown_path, 1, "Begin with front matter: a line +++, the keys, and a line +++.")
        return None
    table = Source("\n".join(rows[1 : ends[1]]), shown_path, faults, first_line=2).root()
    if table is None:
        return None
    head = FrontMatter(table, "\n".join(rows[ends[1] + 1 :]), ends[1] + 2)
    if not head.body.strip():
        faults.add(shown_path, head.body_line, "Write the text below the front matter.")
    return head


# Reading and checking of what is written as one TOML file each, named by its key.

MOST_BYTES = 64 * 1024  # of one file
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class KeyedFiles(Generic[Read]):
    """How the files of one kind are read, such as those of event types."""

    noun: str  # with its article
    example: str  # the name of such a file
    reserved_keys: tuple[str, ...]  # addresses of other pages
    read_table: Callable[[str, bytes, Table], Read]  # of a key, the file and its outermost table
    compare: Callable[[list[Read], Faults], None] = lambda _read, _faults: None  # those of one folder

    def check_path(self, path: Path) -> list[Read]:
        """Read and check a file, or every file of a folder by name. Nothing is written."""
        if path.is_dir():
            return self._check_folder(path)
        if path.suffix != ".toml":
            reason = f"{self.noun.capitalize()} is a file whose name ends in .toml."
            raise BadInputError([f"{path.name}: {reason}"])
        return [self.check_content(path.stem, path.read_bytes())]

    def _check_folder(self, folder: Path) -> list[Read]:
        faults = Faults()
        files = {}
        for path in sorted(folder.iterdir()):
            if path.suffix == ".toml" and path.is_file() and not path.is_symlink():
                files[path.name] = path.read_bytes()
            else:
                faults.add(path.name, None, "Only files whose names end in .toml belong here.")
        if not files:
            noun = self.noun.partition(" ")[2]
            faults.add(folder.name, None, f"There is no {noun} in this folder, such as {self.example}.")
        found = [
            read
            for name, content in sorted(files.items())
            if (read := self.read_content(name.removesuffix(".toml"), content, faults))
        ]
        self.compare(found, faults)
        faults.refuse()
        return found

    def check_content(self, key: str, content: bytes) -> Read:
        """Read and check a file from its bytes."""
        faults = Faults()
        read = self.read_content(key, content, faults)
        faults.refuse()
        if read is None:  # said by a fault
            raise BadInputError([f"{key}.toml: This is not {self.noun}."])
        return read

    def read_content(self, key: str, content: bytes, faults: Faults) -> Read | None:
        """Read a file in spite of faults; None where it is not TOML or its key cannot be one."""
        path = f"{key}.toml"
        if not KEY_PATTERN.fullmatch(key) or len(key) > LONGEST_KEY:
            faults.add(path, None, f"Name {self.noun} with small letters, digits and single hyphens.")
            return None
        if key in self.reserved_keys:
            faults.add(path, None, f"“{key}” is the address of another page. Choose another name.")
            return None
        if len(content) > MOST_BYTES:
            faults.add(path, None, f"Keep this file under {MOST_BYTES // 1024} KB.")
            return None
        text = decode_text(content, path, faults)
        root = Source(text, path, faults).root() if text is not None else None
        return None if root is None else self.read_table(key, content, root)


# Parsing of the files that all modules share: sources, force settings and the glossary.

TEST_OUT_KEY = (
    "assessment.test_out"  # key, among the force's values, of its word on assessment before the lessons
)
FORCE_VALUES_FILE = "_force_values.json"  # written by the portal, not part of a folder
SOURCE_KINDS = ("primary", "secondary", "low")
PRACTICE = "practice"  # in place of a source: settled good practice without one


@dataclass(frozen=True)
class SourceText:
    """One source on which modules are based."""

    number: str
    title: str
    publisher: str
    kind: str
    checked_on: date
    testable: bool
    text_as_at: date | None = None  # of an Act: the day up to which the text that was read was amended
    undated: bool = False  # of an Act: the copy that was read does not say
    check_live: str = ""  # of an Act: what to look up before it is relied on

    @property
    def is_dated(self) -> bool:
        """Whether it says of which day its text is, or that nobody knows."""
        return self.text_as_at is not None or self.undated


@dataclass(frozen=True)
class GlossaryTerm:
    """One term of the glossary."""

    key: str
    text: str

    @property
    def anchor(self) -> str:
        """Id of the term on the glossary page."""
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.key.lower()).strip("-")


@dataclass(frozen=True)
class ForceSetting:
    """A detail that a force enters once, shown in every text that refers to it."""

    key: str
    label: str
    hint: str


@dataclass(frozen=True)
class SharedContent:
    """The contents of the shared files."""

    sources: dict[str, SourceText] = field(default_factory=dict)
    terms: dict[str, GlossaryTerm] = field(default_factory=dict)
    settings: dict[str, ForceSetting] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)  # of settings, as the force entered them

    @property
    def unset_settings(self) -> list[ForceSetting]:
        """The settings without a value, in the file's order."""
        return [setting for key, setting in self.settings.items() if key not in self.values]

    def allows_test_out(self, module_says: bool) -> bool:
        """Whether the assessment is open before the lessons: the force's word, else that of the module."""
        return {"never": False, "always": True}.get(self.values.get(TEST_OUT_KEY, ""), module_says)

    def label_of(self, key: str) -> str:
        """The label of a setting; of one that is no longer in the file, its key in words."""
        return self.settings[key].label if key in self.settings else key.replace("_", " ")


def parse_shared(files: dict[str, bytes], faults: Faults) -> SharedContent:
    """Parse the shared files; a missing file counts as empty."""
    sources = [_read_source(t) for t in _read_tables(files, "_sources.toml", "source", faults)]
    terms = _read_terms(files, faults)
    settings = [_read_setting(t) for t in _read_tables(files, "_force.toml", "setting", faults)]
    return SharedContent(
        {s.number: s for s in sources},
        {t.key: t for t in terms},
        {s.key: s for s in settings},
        parse_values(files.get(FORCE_VALUES_FILE, b"")),
    )


def parse_values(content: bytes) -> dict[str, str]:
    """Parse the force's values as ``format_values`` writes them; empty content has none."""
    return {key: str(value) for key, value in json.loads(content or b"{}").items()}


def format_values(values: dict[str, str]) -> bytes:
    """Format the force's values as a version of the shared file ``FORCE_VALUES_FILE``."""
    return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _read_tables(files: dict[str, bytes], name: str, key: str, faults: Faults) -> list[Table]:
    text = decode_text(files[name], name, faults) if name in files else None
    root = Source(text, name, faults).root() if text is not None else None
    if root is None:
        return []
    tables = root.tables(key)
    root.close()
    unique = "number" if key == "source" else "key"
    _refuse_twice(tables, unique)
    return tables


def _refuse_twice(tables: list[Table], key: str) -> None:
    seen: set[str] = set()
    for table in tables:
        value = table.text(key)
        if value and value in seen:
            table.fault(key, f"“{value}” is used twice. Give each a {key} of its own.")
        seen.add(value)


def _read_source(table: Table) -> SourceText:
    kind = table.text("kind")
    if kind and kind not in SOURCE_KINDS:
        table.fault("kind", f"“{kind}” is not a kind of source. Use {', '.join(SOURCE_KINDS)}.")
    source = SourceText(
        number=table.text("number"),
        title=table.text("title"),
        publisher=table.text("publisher"),
        kind=kind,
        checked_on=table.day("checked_on"),
        testable=table.flag("testable"),
        text_as_at=table.day("text_as_at") if table.has("text_as_at") else None,
        undated=table.flag("undated"),
        check_live=table.text("check_live", required=False),
    )
    if source.text_as_at and source.undated:
        table.fault("undated", "“text_as_at” and “undated” exclude each other. Take one out.")
    table.close()
    return source


def _read_terms(files: dict[str, bytes], faults: Faults) -> list[GlossaryTerm]:
    terms: dict[str, GlossaryTerm] = {}
    for table in _read_tables(files, "_glossary.toml", "term", faults):
        term = GlossaryTerm(table.text("key"), table.text("text"))
        table.close()
        if re.search(r"[{}<>\"]", term.key) or term.anchor == "term-":
            table.fault("key", f"“{term.key}” is not a term. Use letters, digits, spaces and hyphens.")
        twin = terms.get(term.anchor)
        if twin is not None and twin.key != term.key:
            table.fault("key", f"“{term.key}” and “{twin.key}” give the same link. Rename one.")
        terms.setdefault(term.anchor, term)
    return list(terms.values())


def _read_setting(table: Table) -> ForceSetting:
    setting = ForceSetting(table.text("key"), table.text("label"), table.text("hint"))
    if setting.key and not re.fullmatch(r"[a-z0-9_]+", setting.key):
        table.fault("key", "Write the key in small letters, digits and underscores.")
    table.close()
    return setting


# Reading of items as written: the keys of every item, and the content, which its kind reads.


@dataclass(frozen=True)
class ItemText:
    """One item as written; a check is an item without outcome and source."""

    key: str
    outcome: str
    kind: ItemKind
    prompt: str
    stimulus: str  # empty: none
    explanation: str
    source: list[str]
    content: Any  # the result of the kind's ``read_content``
    retired: bool
    path: str  # shown in faults
    line: int
    duties: list[str] = field(default_factory=list)  # it is drawn more often for; none: for all alike


def read_scored_item(table: Table, path: str) -> ItemText | None:
    """Read one ``[[item]]`` of the bank; None, with a fault added, if there is no such kind."""
    return _read_item(table, path, scored=True)


def read_check_item(table: Table, path: str) -> ItemText | None:
    """Read the unscored item of a ``::: check``."""
    return _read_item(table, path, scored=False)


def read_case(table: Table, key: str, path: str) -> ItemText | None:
    """Read the case that a lesson is, beside the lesson's own keys; the caller closes the table.

    Args:
        table: The root of the lesson's file.
        key: The lesson's.
        path: Shown in faults.
    """
    name = table.text("kind")
    kinds = case_kinds_by_name()
    if name not in kinds:
        if name:
            *names, last = kinds
            table.fault("kind", f"“{name}” is not a kind of case. Use {', '.join(names)} or {last}.")
        return None
    return ItemText(
        key=key,
        outcome="",
        kind=kinds[name],
        prompt=_read_prompt(table),
        stimulus="",
        explanation=table.text("explanation"),
        source=[],
        content=kinds[name].read_content(table, key, ""),
        retired=False,
        path=path,
        line=table.line,
    )


def _read_prompt(table: Table) -> str:
    prompt = table.text("prompt")
    if "\n\n" in prompt.strip():
        reason = "Write the prompt as one paragraph. What comes before it belongs in “stimulus”."
        table.fault("prompt", reason)
    return prompt


def _read_item(table: Table, path: str, *, scored: bool) -> ItemText | None:
    key, name = read_key(table), table.text("kind")
    kind = kinds_by_name().get(name)
    if kind is None:
        if name:
            table.fault("kind", f"“{name}” is not a kind of item. Use {', '.join(kinds_by_name())}.")
        return None
    item = ItemText(
        key=key,
        outcome=table.text("outcome") if scored else "",
        kind=kind,
        prompt=_read_prompt(table),
        stimulus=table.text("stimulus", required=False),
        explanation=table.text("explanation"),
        source=table.text_or_texts("source") if scored else [],
        content=kind.read_content(table, key, "item." if scored else ""),
        retired=table.flag("retired") if scored else False,
        path=path,
        line=table.line,
        duties=read_duties(table) if scored else [],
    )
    table.close()
    return item


def read_duties(table: Table) -> list[str]:
    """The duties in ``for``, each of them known."""
    duties = table.texts("for", required=False)
    for duty in duties:
        if duty not in DUTIES:
            table.fault("for", f"“{duty}” is not a duty. Use {listed_words(DUTIES)}.")
    return duties
