"""Checks figures: enough of them, a phone version of each, and legible words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor

from portal.domain.catalogue.media.media_types import narrow_path
from portal.domain.catalogue.sources.module_source import Package
from portal.domain.content_checks.drawings.isolated_painter import paint_drawings
from portal.domain.content_checks.drawings.painter import PaintedText, PaintingError
from portal.platform.formats.faults import Fault

MIN_FIGURES = 4
MIN_CONTRAST = 4.5
PHONE_WIDTH = 288  # CSS pixels of a drawing on a screen 320 wide
MIN_LETTER_SIZE = 11  # CSS pixels there

_FIGURE = re.compile(r":::[ \t]*figure[ \t]+(\S+)[ \t]*")


@dataclass(frozen=True)
class ShownFigure:
    """A figure in a text, with its file and line."""

    medium: str  # media/name
    path: str
    line: int

    @property
    def is_drawing(self) -> bool:
        """Whether it is a drawing, not a photograph or a film."""
        return self.medium.lower().endswith(".svg")


def read_figures(body: str, path: str, first_line: int) -> list[ShownFigure]:
    """Every figure of a text that begins at ``first_line`` of the file at ``path``."""
    rows = enumerate(body.split("\n"), first_line)
    return [
        ShownFigure(match[1], path, number)
        for number, row in rows
        if (match := _FIGURE.fullmatch(row.strip()))
    ]


def lesson_figures(package: Package) -> list[ShownFigure]:
    """Every figure of a module's lessons."""
    return [
        figure for page in package.lessons for figure in read_figures(page.body, page.path, page.body_line)
    ]


def _lesson_pictures(package: Package) -> list[ShownFigure]:
    """The drawing of each lesson that is a picture with places."""
    return [
        ShownFigure(lesson.case.content.picture, lesson.path, lesson.case.content.table.line_of("picture"))
        for lesson in package.lessons
        if lesson.case is not None and lesson.case.kind.name == "picture"
    ]


def check_module_figures(package: Package) -> Iterator[Fault]:
    """Yield the faults of a module's figures."""
    figures = lesson_figures(package)
    drawings = {figure.medium for figure in figures if figure.is_drawing}
    if len(drawings) < MIN_FIGURES:
        reason = f"The lessons show {len(drawings)} drawn figures. Draw {MIN_FIGURES} or more that explain."
        yield Fault(package.module_file, None, reason)
    yield from check_drawings([*figures, *_lesson_pictures(package)], package.key, package.files)


def check_drawings(figures: list[ShownFigure], folder: str, files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Yield the faults of the drawings among these figures, and of their phone versions."""
    drawings = {figure.medium: figure for figure in figures if figure.is_drawing}
    candidates = [path for medium in drawings for path in (medium, narrow_path(medium))]
    paths = [path for path in candidates if path in files or path in drawings]
    painted = dict(zip(paths, paint_drawings([files.get(path, b"") for path in paths]), strict=True))
    for medium, figure in drawings.items():
        narrow = narrow_path(medium)
        yield from _check_words(f"{folder}/{medium}", painted[medium], on_phone=False)
        if narrow in files:
            yield from _check_words(f"{folder}/{narrow}", painted[narrow], on_phone=True)
        else:
            reason = f"There is no {narrow}. Draw the figure once more, 320 wide, for phones."
            yield Fault(figure.path, figure.line, reason)


def _check_words(path: str, painted: list[PaintedText] | PaintingError, *, on_phone: bool) -> Iterator[Fault]:
    """Yield the words of one drawing that are too faint, or too small on a phone."""
    if isinstance(painted, PaintingError):
        yield Fault(path, painted.line, str(painted))
        return
    for text in painted:
        if text.contrast < MIN_CONTRAST:
            contrast = floor(text.contrast * 100) / 100  # so that 4.499 is not shown as 4.50
            reason = (
                f"“{text.words}” has a contrast of {contrast:.2f} to 1 against {text.background}. Choose"
                f" colours that give {MIN_CONTRAST} or more."
            )
            yield Fault(path, text.line, reason)
        if on_phone and (size := text.size * PHONE_WIDTH) < MIN_LETTER_SIZE:
            reason = (
                f"“{text.words}” is {size:.1f} pixels high on a phone. Make it {MIN_LETTER_SIZE} or more."
            )
            yield Fault(path, text.line, reason)
