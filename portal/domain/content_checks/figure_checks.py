"""What the brief asks of figures: enough of them, one for phones beside each, words that can be read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor

from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks.drawings.isolated_painter import paint_drawings
from portal.domain.content_checks.drawings.painter import Painted, PaintingError
from portal.platform.formats.faults import Fault

LEAST_FIGURES = 4
LEAST_CONTRAST = 4.5
PHONE = 288  # CSS pixels that a drawing gets on a screen 320 wide
LEAST_SIZE = 11  # CSS pixels of a letter there

_FIGURE = re.compile(r":::[ \t]*figure[ \t]+(\S+)[ \t]*")


@dataclass(frozen=True)
class Shown:
    """A figure where a text shows it."""

    medium: str  # media/name
    path: str
    line: int

    @property
    def drawn(self) -> bool:
        """Whether it is a drawing, not a photograph or a film."""
        return self.medium.lower().endswith(".svg")


def shown(body: str, path: str, first: int) -> list[Shown]:
    """Every figure of a text, whose first line is number ``first`` of the file at ``path``."""
    rows = enumerate(body.split("\n"), first)
    return [
        Shown(found[1], path, number) for number, row in rows if (found := _FIGURE.fullmatch(row.strip()))
    ]


def of_lessons(package: Package) -> list[Shown]:
    """Every figure of a module's lessons."""
    return [each for page in package.lessons for each in shown(page.body, page.path, page.body_line)]


def of_module(package: Package) -> Iterator[Fault]:
    """Where the figures of a module fall short."""
    found = of_lessons(package)
    drawn = {each.medium for each in found if each.drawn}
    if len(drawn) < LEAST_FIGURES:
        reason = f"The lessons show {len(drawn)} drawn figures. Draw {LEAST_FIGURES} or more that explain."
        yield Fault(package.module_file, None, reason)
    yield from drawings(found, package.key, package.files)


def drawings(found: list[Shown], folder: str, files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Where the drawings that are shown fall short, each with the one for phones beside it."""
    drawn = {one.medium: one for one in found if one.drawn}
    paths = [path for each in drawn for path in (each, _narrow_path(each)) if path in files or path == each]
    seen = dict(zip(paths, paint_drawings([files.get(path, b"") for path in paths]), strict=True))
    for each in drawn.values():
        narrow = _narrow_path(each.medium)
        yield from _word_faults(f"{folder}/{each.medium}", seen[each.medium], phone=False)
        if narrow in files:
            yield from _word_faults(f"{folder}/{narrow}", seen[narrow], phone=True)
        else:
            reason = f"There is no {narrow}. Draw the figure once more, 320 wide, for phones."
            yield Fault(each.path, each.line, reason)


def _narrow_path(medium: str) -> str:
    """Path of the phone version of a drawing."""
    return f"{medium[:-4]}.narrow{medium[-4:]}"


def _word_faults(path: str, seen: list[Painted] | PaintingError, *, phone: bool) -> Iterator[Fault]:
    """Words of one drawing that cannot be read."""
    if isinstance(seen, PaintingError):
        yield Fault(path, seen.line, str(seen))
        return
    for text in seen:
        if text.contrast < LEAST_CONTRAST:
            held = floor(text.contrast * 100) / 100  # so that no 4.499 reads as 4.5
            reason = (
                f"“{text.words}” has a contrast of {held:.2f} to 1 against {text.ground}. Choose"
                f" colours that give {LEAST_CONTRAST} or more."
            )
            yield Fault(path, text.line, reason)
        if phone and (size := text.size * PHONE) < LEAST_SIZE:
            reason = f"“{text.words}” is {size:.1f} pixels high on a phone. Make it {LEAST_SIZE} or more."
            yield Fault(path, text.line, reason)
