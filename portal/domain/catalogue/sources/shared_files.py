"""Parsing of the files that all modules share: sources, force settings and the glossary."""

import json
import re
from dataclasses import dataclass, field
from datetime import date

from portal.domain.catalogue.sources.folder_reader import decode_text
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Source, Table

TEST_OUT_KEY = (
    "assessment.test_out"  # key, among the force's values, of its word on assessment before the lessons
)
FORCE_VALUES_FILE = "_force_values.json"  # written by the portal, not part of a folder
SOURCE_KINDS = ("primary", "secondary", "low")


@dataclass(frozen=True)
class SourceText:
    """One source on which modules are based."""

    number: str
    title: str
    publisher: str
    kind: str
    checked_on: date
    testable: bool


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
    )
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
