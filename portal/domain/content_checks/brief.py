"""The brief for a module: every rule of it that can be counted, each breach with its file and line. Pure."""

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


def breaches(reading: CheckedFolder, on: date) -> list[Fault]:
    """Where modules, guides and what they share fall short of the brief, by file and line.

    The format has been checked already: a folder with faults of the format is not measured here.

    Args:
        reading: What the check of the format made of the folder.
        on: The day on which a date of review must not have passed.
    """
    return _listed(_all(reading, on, _terms(reading.shared.get(GLOSSARY, b""))))


def of_guides(reading: CheckedFolder) -> list[Fault]:
    """The same of the guides alone, without what they share and whatever the day; for the authoring desk."""
    glossary = _terms(reading.shared.get(GLOSSARY, b""))
    return _listed(fault for guide in reading.guides for fault in _guide(guide, date.min, glossary))


@lru_cache(maxsize=4)
def _terms(glossary: bytes) -> frozenset[str]:
    return frozenset(parse_shared({GLOSSARY: glossary}, Faults()).terms)


def _listed(faults: Iterator[Fault]) -> list[Fault]:
    found = Faults()
    for fault in faults:
        found.add(fault.path, fault.line, fault.reason)
    return found.listed()


def _all(reading: CheckedFolder, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    for checked in reading.modules:
        yield from _module(checked, on, glossary)
    for guide in reading.guides:
        yield from _guide(guide, on, glossary)
    for name, content in reading.shared.items():
        yield from text_checks.placeholders(name, content)


def _module(checked: CheckedModule, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    package = checked.package
    yield from module_checks.breaches(package, on)
    for lesson in package.lessons:
        yield from text_checks.lesson(lesson, package.files[f"lessons/{lesson.key}.md"], glossary)
    if checked.job_aid is not None:
        yield from text_checks.job_aid(checked.job_aid, package.title)
    yield from item_checks.bank(package)
    yield from item_checks.checks(
        package, [check for page in package.lessons for check in text_checks.checks(page)]
    )
    yield from figure_checks.of_module(package)
    for path, content in package.files.items():
        yield from text_checks.placeholders(f"{package.key}/{path}", content)


def _guide(checked: CheckedGuide, on: date, glossary: Collection[str]) -> Iterator[Fault]:
    guide = checked.guide
    yield from text_checks.guide(guide, checked.files[f"{guide.key}.md"], on, glossary)
    shown = figure_checks.shown(guide.body, guide.path, guide.body_line)
    yield from figure_checks.drawings(shown, GUIDES_FOLDER, checked.files)
    for path, content in checked.files.items():
        yield from text_checks.placeholders(f"{GUIDES_FOLDER}/{path}", content)
