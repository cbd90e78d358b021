"""Checks modules and guides against the brief: each breach with its file and line. Pure functions."""

from collections.abc import Collection, Iterator
from datetime import date
from functools import lru_cache

from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.folder_reader import GUIDES_FOLDER
from portal.domain.catalogue.sources.guide_source import CheckedGuide
from portal.domain.catalogue.sources.shared_files import parse_shared
from portal.domain.catalogue.sources.validation import CheckedModule
from portal.domain.content_checks import figure_checks, item_checks, module_checks, text_checks
from portal.platform.formats.faults import Fault, Faults

GLOSSARY = "_glossary.toml"


def check_brief(folder: CheckedFolder, on: date) -> list[Fault]:
    """List the breaches of the brief in modules, guides and shared files, by file and line.

    Only for a folder whose format has no faults.

    Args:
        folder: The folder as its format check read it.
        on: A review date before this day is a breach.
    """
    return _sort_faults(_check_folder(folder, on, _glossary_keys(folder.shared.get(GLOSSARY, b""))))


def check_guides(folder: CheckedFolder) -> list[Fault]:
    """List the breaches in guides alone, without shared files and review dates; for authoring pages."""
    glossary = _glossary_keys(folder.shared.get(GLOSSARY, b""))
    return _sort_faults(fault for guide in folder.guides for fault in _check_guide(guide, date.min, glossary))


@lru_cache(maxsize=4)
def _glossary_keys(glossary: bytes) -> frozenset[str]:
    return frozenset(parse_shared({GLOSSARY: glossary}, Faults()).terms)


def _sort_faults(faults: Iterator[Fault]) -> list[Fault]:
    collected = Faults()
    for fault in faults:
        collected.add(fault.path, fault.line, fault.reason)
    return collected.listed()


def _check_folder(folder: CheckedFolder, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    for checked in folder.modules:
        yield from _check_module(checked, on, glossary)
    for guide in folder.guides:
        yield from _check_guide(guide, on, glossary)
    for name, content in folder.shared.items():
        yield from text_checks.check_placeholders(name, content)


def _check_module(checked: CheckedModule, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    package = checked.package
    yield from module_checks.check_module(package, on)
    for lesson in package.lessons:
        content = package.files[lesson.path.removeprefix(f"{package.key}/")]
        check = text_checks.check_lesson if lesson.case is None else text_checks.check_case
        yield from check(lesson, content, glossary)
    for sheet in checked.sheets.values():
        yield from text_checks.check_sheet(sheet, package.title)
    yield from item_checks.check_bank(package)
    yield from item_checks.check_cases(package)
    unscored_items = [item for page in package.lessons for item in text_checks.read_checks(page)]
    yield from item_checks.check_unscored_items(package, unscored_items)
    yield from figure_checks.check_module_figures(package)
    for path, content in package.files.items():
        yield from text_checks.check_placeholders(f"{package.key}/{path}", content)


def _check_guide(checked: CheckedGuide, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    guide = checked.guide
    yield from text_checks.check_guide(guide, checked.files[f"{guide.key}.md"], on, glossary)
    figures = figure_checks.read_figures(guide.body, guide.path, guide.body_line)
    yield from figure_checks.check_drawings(figures, GUIDES_FOLDER, checked.files)
    for path, content in checked.files.items():
        yield from text_checks.check_placeholders(f"{GUIDES_FOLDER}/{path}", content)
