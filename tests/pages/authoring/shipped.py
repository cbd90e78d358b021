"""The modules that the portal ships as texts by path, to be changed in one place and checked again."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from portal.domain.catalogue.module_check import check_module
from portal.domain.catalogue.other_sources import check_guides
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.source_files import GUIDES_FOLDER, SHARED_FILE_NAMES, parse_shared
from portal.domain.content_checks.checks import check_brief
from portal.platform.formats.toml_tables import Faults

MODULES = Path(__file__).resolve().parents[3] / "modules"
KEYS = ("protect", "recognise", "report", "respond")
ON = date(2026, 11, 25)
Texts = dict[str, str]
Change = Callable[[Texts], None]


@cache
def _kept() -> tuple[tuple[str, str], ...]:
    files = (path for path in sorted(MODULES.rglob("*")) if path.is_file())
    return tuple((path.relative_to(MODULES).as_posix(), path.read_text("utf-8")) for path in files)


def shipped_texts() -> Texts:
    """Every file of the folder of all, by path."""
    return dict(_kept())


def texts_in_use() -> Texts:
    """The same without retired questions, which keep no rule any more."""
    return {
        path: re.sub(r"^\[\[item\]\]\n(?:(?!\[\[item\]\]).)*", _unless_retired, text, flags=re.M | re.S)
        if "/items/" in path
        else text
        for path, text in _kept()
    }


def _unless_retired(item: re.Match[str]) -> str:
    return "" if re.search(r"^retired = true$", item[0], re.M) else item[0]


def list_breaches(files: Texts, key: str = "", *, on: date = ON) -> list[str]:
    """What breaks the brief in one module, or with "_guides" in the guides; the format must be whole."""
    faults = Faults()
    held = {name: files[name].encode() for name in SHARED_FILE_NAMES}
    shared = parse_shared(held, faults)
    guides = check_guides(_below(files, GUIDES_FOLDER), shared, faults)
    linked = frozenset(checked.guide.key for checked in guides)
    module = None if key == GUIDES_FOLDER else check_module(key, _below(files, key), shared, faults, linked)
    assert faults.sentences() == []
    read = CheckedFolder([module] if module else [], held, faults, guides if key == GUIDES_FOLDER else [])
    return [str(breach) for breach in check_brief(read, on)]


def _below(files: Texts, folder: str) -> dict[str, bytes]:
    start = f"{folder}/"
    return {path.removeprefix(start): text.encode() for path, text in files.items() if path.startswith(start)}


@dataclass(frozen=True)
class Place:
    """Where a change was made."""

    path: str
    line: int  # on which what was changed begins

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: "


def replace_text(files: Texts, path: str, pattern: str, new: str, *, line_of: str = "") -> Place:
    """Replace the first match of ``pattern``, and say its line, or that of the last ``line_of`` above it."""
    match = re.search(pattern, files[path], re.M | re.S)
    assert match is not None, (path, pattern)
    replaced = match.expand(new)
    assert replaced != match[0]
    at = match.start()
    if line_of:
        at = [each.start() for each in re.finditer(line_of, files[path][: at + 1], re.M)][-1]
    files[path] = files[path][: match.start()] + replaced + files[path][match.end() :]
    return Place(path, files[path].count("\n", 0, at) + 1)


def path_containing(files: Texts, folder: str, text: str, ending: str) -> str:
    """The first file below ``folder`` that holds ``text``."""
    return next(p for p in sorted(files) if p.startswith(folder) and p.endswith(ending) and text in files[p])
