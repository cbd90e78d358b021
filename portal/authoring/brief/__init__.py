"""The brief for a module: every rule of it that can be counted, each breach with its file and line. Pure."""

from collections.abc import Iterator
from datetime import date

from portal.authoring.brief import figures, items, module, texts
from portal.catalogue.checking import Checked
from portal.catalogue.guides import CheckedGuide
from portal.catalogue.reading import GUIDES
from portal.catalogue.services import Reading
from portal.formats.faults import Fault, Faults


def breaches(reading: Reading, on: date) -> list[Fault]:
    """Where modules, guides and what they share fall short of the brief, by file and line.

    The format has been checked already: a folder with faults of the format is not measured here.

    Args:
        reading: What the check of the format made of the folder.
        on: The day on which a date of review must not have passed.
    """
    found = Faults()
    for fault in _all(reading, on):
        found.add(fault.path, fault.line, fault.reason)
    return found.listed()


def _all(reading: Reading, on: date) -> Iterator[Fault]:
    for checked in reading.modules:
        yield from _module(checked, on)
    for guide in reading.guides:
        yield from _guide(guide, on)
    for name, content in reading.shared.items():
        yield from texts.placeholders(name, content)


def _module(checked: Checked, on: date) -> Iterator[Fault]:
    package = checked.package
    yield from module.breaches(package, on)
    for lesson in package.lessons:
        yield from texts.lesson(lesson, package.files[f"lessons/{lesson.key}.md"])
        for check in texts.checks(lesson):
            yield from items.wording(check)
    if package.job_aid is not None:
        yield from texts.job_aid(package.job_aid)
    yield from items.bank(package)
    yield from figures.of_module(package)
    for path, content in package.files.items():
        yield from texts.placeholders(f"{package.key}/{path}", content)


def _guide(checked: CheckedGuide, on: date) -> Iterator[Fault]:
    guide = checked.guide
    yield from texts.guide(guide, checked.files[f"{guide.key}.md"], on)
    shown = figures.shown(guide.body, guide.path, guide.body_line)
    yield from figures.drawings(shown, GUIDES, checked.files)
    for path, content in checked.files.items():
        yield from texts.placeholders(f"{GUIDES}/{path}", content)
