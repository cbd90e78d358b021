"""Checks that a module's outcomes, lessons, items, sources and draw fit together; and its rendering."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from portal.domain.catalogue.law import format_law_note, list_source_faults
from portal.domain.catalogue.lesson_html import FORCE_SLOT, choice_checks
from portal.domain.catalogue.markdown import (
    Address,
    RenderContext,
    TextLocation,
    find_check_lines,
    find_media_file,
    media_address,
    render_block,
    render_inline,
    render_page,
    word_count,
)
from portal.domain.catalogue.media import MediaFile, narrow_path, read_media
from portal.domain.catalogue.media_rules import PLAYED
from portal.domain.catalogue.module_source import DutyPath, Package, PageSource, parse_package
from portal.domain.catalogue.source_files import PRACTICE, ItemText, SharedContent
from portal.domain.item_kinds.base import ShownDrawing
from portal.domain.people.staff_numbers import duty_words
from portal.platform.documents.fonts import undrawable_letters
from portal.platform.documents.typesetting import TypesettingError, markup_of, name_of, typeset_pdf
from portal.platform.formats.toml_tables import Faults
from portal.platform.formats.toml_writer import parse_toml
from portal.platform.isolation.running import ReadingStoppedError

# Checks that a job aid or a briefing can become a tagged PDF, with a stand-in for each setting.

_USUAL_VALUE = "Control room, 01632 960 100, any hour"
_TERM_SLOT = re.compile(r"\{\{term:[^{}]*\}\}")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_PRINTED = datetime(2000, 1, 1, tzinfo=UTC)  # any day: it does not change the number of pages


@lru_cache(maxsize=256)  # the editor counts the same text several times
def count_a4_pages(html: str, title: str, module: str) -> int:
    """Count the A4 pages that a job aid or a briefing fills.

    Args:
        html: As rendered.
        title: Of the page.
        module: The title of its module, printed above it.

    Raises:
        TypesettingError: No accessible PDF can be made of it.
        ReadingStoppedError: Making the PDF took too much memory or time.
    """
    markup = markup_of(_TERM_SLOT.sub("", FORCE_SLOT.sub(_USUAL_VALUE, html)))
    content = typeset_pdf(markup, title=title, above=f"Job aid · {module}", foot="", author="", at=_PRINTED)
    return len(_PAGE.findall(content))


def check_printable(page: PageSource, html: str, module: str, faults: Faults) -> None:
    """Add a fault for whatever keeps a sheet from becoming a PDF, unless its file has faults already."""
    if any(fault.path == page.path for fault in faults.listed()):
        return
    rows = page.body.split("\n")
    for letter in sorted(undrawable_letters(html + page.title)):
        line = next((page.body_line + n for n, row in enumerate(rows) if letter in row), None)
        names = " and ".join(map(name_of, letter))
        reason = f"“{letter}” ({names}) cannot be shown in the PDF. Write it in words, or take it out."
        faults.add(page.path, line, reason)
    try:
        count_a4_pages(html, page.title, module)
    except ReadingStoppedError as error:
        faults.add(page.path, None, str(error))
    except TypesettingError as error:
        faults.add(page.path, None, str(error))


@dataclass(frozen=True)
class RenderedPage:
    """A lesson or a sheet with its rendered HTML."""

    page: PageSource
    html: str  # of a case: what it begins with
    words: int
    case: dict[str, Any] | None = None  # as in ``Lesson.case_content``


@dataclass(frozen=True)
class RenderedItem:
    """An item with its rendered HTML."""

    item: ItemText
    prompt_html: str
    stimulus_html: str | None
    explanation_html: str
    content: dict[str, Any]


@dataclass(frozen=True)
class CheckedModule:
    """A module that has been read, checked and rendered; it can be published if there are no faults."""

    package: Package
    digest: str
    lessons: list[RenderedPage] = field(default_factory=list)
    items: list[RenderedItem] = field(default_factory=list)
    sheets: dict[str, RenderedPage] = field(default_factory=dict)  # the job aid and the briefing, by key


def check_module(
    name: str,
    files: dict[str, bytes],
    shared: SharedContent,
    faults: Faults,
    guides: frozenset[str] = frozenset(),
    address: Address = media_address,
) -> CheckedModule | None:
    """Read, check and render the module ``name``; None if its ``module.toml`` cannot be read.

    Args:
        name: The module's key.
        files: Every file of its folder by path.
        shared: The shared files, to which texts may refer.
        faults: The list to which faults are added.
        guides: Keys of the guides to which texts may link.
        address: Returns a media file's address from its hash and path.
    """
    package = parse_package(name, files, faults)
    if package is None:
        return None
    context = RenderContext(
        module=name,
        lessons=frozenset(package.lesson_keys),
        media=read_media(name, files, faults),
        addresses={p: address(sha256_of(c), p) for p, c in files.items() if p.startswith("media/")},
        shared=shared,
        faults=faults,
        guides=guides,
    )
    _check_parts(package, shared, faults)
    module = CheckedModule(
        package=package,
        digest=digest_of(files),
        lessons=_render_lessons(package, context),
        items=[_render_item(item, context) for item in package.items],
        sheets={key: _render_sheet(page, context, package.title) for key, page in package.sheets.items()},
    )
    check_transcripts(name, context)
    return module


def version_fields(module: CheckedModule) -> dict[str, Any]:
    """Return the fields that a published version and the preview of a draft have in common."""
    package, rules = module.package, module.package.assessment
    return {
        "title": package.title,
        "aim": package.aim,
        "review_on": package.review_on,
        "minutes": package.minutes,
        "mastery_score": package.mastery_score,
        "outcomes": [{"key": outcome.key, "text": outcome.text} for outcome in package.outcomes],
        "draw": rules.draw,
        "at_least_per_outcome": rules.at_least_per_outcome,
        "attempts": rules.attempts,
        "wait_minutes": rules.wait_minutes,
        "pause_after": rules.pause_after,
        "pause_hours": rules.pause_hours,
        "test_out": rules.test_out,
        "pre_test": rules.pre_test,
        "practice": package.practice,
        "duty_paths": package.paths,
        "job_aid_title": _title_of(module.sheets.get("job-aid")),
        "briefing_title": _title_of(module.sheets.get("briefing")),
    }


def _title_of(sheet: RenderedPage | None) -> str | None:
    return sheet.page.title if sheet else None


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_of(files: dict[str, bytes]) -> str:
    """Return one SHA-256 over all paths and bytes: equal folders have equal digests."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{sha256_of(files[path])}\n".encode())
    return digest.hexdigest()


def is_same_content(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bool:
    """Whether two folders differ in nothing but the layout and the comments of their TOML."""
    return old.keys() == new.keys() and all(
        old[path] == content or _values_of(path, old[path]) == _values_of(path, content)
        for path, content in new.items()
    )


def _values_of(path: str, content: bytes) -> Any:
    """What a file says; its bytes where it is not TOML, and no page with front matter."""
    try:
        if path.endswith(".toml"):
            return parse_toml(content.decode())
        if path.endswith(".md"):
            return _values_of_page(content.decode())
    except ValueError:
        pass
    return content


def _values_of_page(text: str) -> list[Any]:
    """The front matter and each check as tables, and the lines around them."""
    above, front, body = text.split("+++\n", 2)
    values: list[Any] = [above, parse_toml(front)]
    lines, at = body.split("\n"), 0
    for first, last in find_check_lines(body):
        values += [*lines[at:first], parse_toml("\n".join(lines[first + 1 : last]))]
        at = last + 1
    return values + lines[at:]


def _check_parts(package: Package, shared: SharedContent, faults: Faults) -> None:
    _check_lessons(package, shared, faults)
    _check_paths(package, faults)
    _check_items(package, shared, faults)
    _check_draw(package, faults)


def check_transcripts(module: str, context: RenderContext) -> None:
    """Add a fault for a sound or film that no text shows: its transcript would be in that text."""
    for path, medium in context.media.items():
        if medium.kind in PLAYED and path not in context.shown_media:
            reason = "No text shows it, so it has no transcript. Show it with ::: figure, or take it out."
            context.faults.add(f"{module}/{path}", None, reason)


def _check_lessons(package: Package, shared: SharedContent, faults: Faults) -> None:
    _check_page_sources(package, shared, faults)
    known = {outcome.key for outcome in package.outcomes}
    covered: set[str] = set()
    for lesson in package.lessons:
        covered.update(lesson.outcomes)
        for key in lesson.outcomes:
            if key not in known:
                faults.add(
                    lesson.path, 2, f"The outcome “{key}” is not in module.toml. Add it, or correct it."
                )
        if not lesson.outcomes:
            faults.add(lesson.path, 2, "Name at least one outcome that the lesson covers.")
    if not package.lesson_keys:
        faults.add(package.module_file, 1, "A module needs at least one lesson.")
    for outcome in package.outcomes:
        if outcome.key not in covered:
            faults.add(
                package.module_file,
                outcome.line,
                f"No lesson covers the outcome “{outcome.key}”. Name it in one.",
            )


def _check_paths(package: Package, faults: Faults) -> None:
    """Add faults unless each lesson has one part, and each person one path that covers every outcome."""
    line_by_key = {key: path.line for path in package.duty_paths for key in path.lessons}
    for key in (*package.practice, *line_by_key):
        if key not in package.lesson_keys:
            reason = f"“{key}” is not in the list of lessons. Add it there, or correct it."
            faults.add(package.module_file, line_by_key.get(key, 1), reason)
        if key in package.practice and key in line_by_key:
            reason = f"“{key}” is practice, so it is on nobody’s path. Name it once."
            faults.add(package.module_file, line_by_key[key], reason)
    _check_duties(package, faults)
    if not package.duty_paths:
        _check_coverage(package, None, faults)
    for path in package.duty_paths:
        _check_coverage(package, path, faults)


def _check_duties(package: Package, faults: Faults) -> None:
    """Add faults unless each duty has one path with lessons, and everybody else the last one."""
    duties = [duty for path in package.duty_paths for duty in path.duties]
    for path in package.duty_paths:
        is_last = path is package.duty_paths[-1]
        if is_last == bool(path.duties):
            reason = "The last [[by_duty]], and only it, has no “for”: it is the path of everybody else."
            faults.add(package.module_file, path.line, reason)
        if path.duties and not path.lessons:
            faults.add(package.module_file, path.line, "Name the lessons of these duties, or take this out.")
        for duty in sorted(set(path.duties)):
            if duties.count(duty) > 1:
                faults.add(package.module_file, path.line, f"The duty “{duty}” is named twice. Name it once.")


def _check_coverage(package: Package, path: DutyPath | None, faults: Faults) -> None:
    """Add a fault for each outcome that somebody with this path meets in no lesson."""
    lessons = package.lessons_for(path.duties if path else ())
    covered = {key for lesson in lessons for key in lesson.outcomes}
    every = {key for lesson in package.lessons for key in lesson.outcomes}
    for outcome in package.outcomes:
        if outcome.key in every - covered:
            whose = f"the path of {duty_words(path.duties) or 'everybody else'}" if path else "the path"
            reason = f"No lesson on {whose} covers the outcome “{outcome.key}”. Put one on it."
            faults.add(package.module_file, path.line if path else outcome.line, reason)


def _check_page_sources(package: Package, shared: SharedContent, faults: Faults) -> None:
    for page in (*package.lessons, *package.sheets.values()):
        for reason in list_source_faults(page.body, page.sources, shared):
            faults.add(page.path, 2, reason)


def _check_items(package: Package, shared: SharedContent, faults: Faults) -> None:
    known = {outcome.key for outcome in package.outcomes}
    first_items: dict[str, ItemText] = {}
    for item in package.items:
        if item.key and item.key in first_items:
            other = first_items[item.key]
            reason = f"The key “{item.key}” is also used in {other.path}, line {other.line}. Use another."
            faults.add(item.path, item.line, reason)
        first_items.setdefault(item.key, item)
        if item.outcome and item.outcome not in known:
            reason = f"The outcome “{item.outcome}” of “{item.key}” is not in module.toml. Correct it."
            faults.add(item.path, item.line, reason)
        for number in item.source:
            _check_source(item, number, shared, faults)


def _check_source(item: ItemText, number: str, shared: SharedContent, faults: Faults) -> None:
    source = shared.sources.get(number)
    if number == PRACTICE or (source is not None and source.testable):
        return
    if source is None:
        reason = (
            f"The source “{number}” of “{item.key}” is not in _sources.toml. Use one that is, or “practice”."
        )
    else:
        reason = f"The source “{number}” of “{item.key}” is not testable. Use one that is, or “practice”."
    faults.add(item.path, item.line, reason)


def _check_draw(package: Package, faults: Faults) -> None:
    rules = package.assessment
    counts = Counter(item.outcome for item in package.items if not item.retired)
    total = sum(counts.values())
    if total < rules.draw:
        reason = (
            f"The assessment draws {rules.draw} items, but the bank has {total}. Write more, or draw fewer."
        )
        faults.add(package.module_file, rules.line, reason)
    if rules.at_least_per_outcome * len(package.outcomes) > rules.draw:
        reason = f"{rules.draw} items cannot hold {rules.at_least_per_outcome} of each outcome. Draw more."
        faults.add(package.module_file, rules.line, reason)
    for outcome in package.outcomes:
        least = max(1, rules.at_least_per_outcome)
        if counts[outcome.key] < least:
            reason = (
                f"The outcome “{outcome.key}” has {counts[outcome.key]} items and needs {least}. Write more."
            )
            faults.add(package.module_file, outcome.line, reason)


def _render_lessons(package: Package, context: RenderContext) -> list[RenderedPage]:
    lessons = [_render_lesson(page, context) for page in package.lessons]
    if package.assessment.pre_test and not any(choice_checks(lesson.html, "try") for lesson in lessons):
        reason = "“pre_test” asks the checks of the lessons, and none has a check of choices. Write one."
        context.faults.add(package.module_file, package.assessment.line, reason)
    return lessons


def _render_lesson(page: PageSource, context: RenderContext) -> RenderedPage:
    if page.case is not None:
        return _render_case(page, page.case, context)
    html = render_page(page.body, TextLocation(context, page.path, page.body_line))
    note = format_law_note(page.sources, context.shared)
    return RenderedPage(page, html + note, word_count(html))


def _render_case(page: PageSource, case: ItemText, context: RenderContext) -> RenderedPage:
    rendered = _render_item(case, context)
    content = {
        "prompt_html": rendered.prompt_html,
        "explanation_html": rendered.explanation_html,
        "content": rendered.content,
    }
    html = f'<p class="govuk-body">{rendered.prompt_html}</p>{case.kind.opening_html(rendered.content)}'
    html += format_law_note(page.sources, context.shared)
    return RenderedPage(page, html, len(page.body.split()), content)


def _render_sheet(page: PageSource, context: RenderContext, module: str) -> RenderedPage:
    html = render_page(
        page.body, TextLocation(context, page.path, page.body_line, allows_checks=False, is_printed=True)
    )
    words = word_count(html)
    html += format_law_note(page.sources, context.shared)
    check_printable(page, html, module, context.faults)
    return RenderedPage(page, html, words)


def _render_item(item: ItemText, context: RenderContext) -> RenderedItem:
    renderer = ItemRenderer(context, item.path)
    return RenderedItem(
        item=item,
        prompt_html=renderer.render_inline(item.prompt, item.line),
        stimulus_html=renderer.render_block(item.stimulus, item.line) if item.stimulus else None,
        explanation_html=renderer.render_inline(item.explanation, item.line),
        content=item.kind.render_content(item.content, renderer),
    )


@dataclass(frozen=True)
class ItemRenderer:
    """Renders the texts of one file of items; faults have the line of the text."""

    context: RenderContext
    path: str

    def render_inline(self, text: str, line: int) -> str:
        """Render one paragraph without its ``<p>`` as safe HTML."""
        return render_inline(text, TextLocation(self.context, self.path, line, allows_checks=False))

    def render_block(self, text: str, line: int) -> str:
        """Render paragraphs, lists and tables as safe HTML."""
        return render_block(text, TextLocation(self.context, self.path, line, allows_checks=False))

    def find_drawing(self, path: str, line: int) -> ShownDrawing | None:
        """Return the module's drawing at ``path``, with its version for phones, if there is one."""
        medium = find_media_file(path, TextLocation(self.context, self.path, line), 0)
        if medium is None:
            return None
        drawing = self._shown_drawing(medium)
        if drawing is None:
            self.add_fault(line, f"{path} is not a drawing. Use an SVG file, whose places can be given.")
            return None
        narrow = self.context.media.get(narrow_path(path))
        return replace(drawing, narrow=self._shown_drawing(narrow)) if narrow is not None else drawing

    def _shown_drawing(self, medium: MediaFile) -> ShownDrawing | None:
        drawing, address = medium.drawing, self.context.addresses[medium.path]
        if drawing is None:
            return None
        return ShownDrawing(address, drawing.width, drawing.height, drawing.title, drawing.description)

    def add_fault(self, line: int, reason: str) -> None:
        """Add a fault at a line of the file."""
        self.context.faults.add(self.path, line, reason)
