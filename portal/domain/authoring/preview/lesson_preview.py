"""Previews one text of a draft with the unsaved content of its editor."""

from dataclasses import dataclass

from markupsafe import Markup

from portal.domain.authoring.editing.content_diff import front_matter
from portal.domain.authoring.findings import check_cache
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.findings.collect import Finding
from portal.domain.authoring.media import blob_store
from portal.domain.authoring.preview import anchors, learner_view
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.markdown.figures import PHONE_QUERY
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.module_source import SHEET_NAMES, lesson_key, sheet_of_path
from portal.domain.content_checks import metrics
from portal.domain.content_checks.metrics import TextMeasures


@dataclass(frozen=True, slots=True)
class TextPreview:
    """A rendered lesson, job aid or guide with its findings and metrics."""

    html: Markup
    findings: list[Finding]  # a finding's position, counted from 1, is its mark's number
    measures: TextMeasures


def preview_text(state: DraftState, path: str, content: bytes) -> TextPreview:
    """Preview the text at ``path`` with ``content`` as its file; nothing is saved.

    Only the module's details and the media named in the text are checked with it, so the time does not depend
    on the number of lessons.

    Args:
        state: The draft.
        path: Such as ``lessons/name.md``.
        content: The whole file.
    """
    text = content.decode()
    _, body = front_matter(text)
    files = related_files(state, body)
    place = place_of_path(path)
    files[path] = content
    reading = check_cache.check_unsaved_files(state.key, files)
    findings = finder.findings_at(finder.collect_findings(state.key, reading, files), place)
    if any(finding.line is not None for finding in findings):
        files[path] = (text[: len(text) - len(body)] + anchors.mark_findings(body, findings)).encode()
        reading = check_cache.check_unsaved_files(state.key, files)
    html = anchors.render_marks(_page_html(reading, place), findings).replace(
        f'media="{PHONE_QUERY}"', 'media="all"'
    )
    html = learner_view.link_to_previews(state.key, html)
    return TextPreview(fill_placeholders(html, names_unset=True), findings, _measure(reading, place, body))


def _measure(reading: CheckedFolder, place: str, body: str) -> TextMeasures:
    """Measure a text as it is written; a case by a way through it, if it can be parsed."""
    pages = reading.modules[0].package.lessons if reading.modules else []
    case = next((page for page in pages if page.case and f"lesson:{page.key}" == place), None)
    return metrics.measure_page(case) if case else metrics.measure_text(body)


def place_of_path(path: str) -> str:
    """The place of a text, as in ``Finding.place`` and ``Presence.place``."""
    if path.startswith("lessons/"):
        return f"lesson:{lesson_key(path)}"
    return sheet_of_path(path) or "text"


def related_files(state: DraftState, body: str) -> dict[str, bytes]:
    """The files needed to check a text: the module's details and the media named in it."""
    named = {
        path: sha
        for path, sha in state.files.items()
        if path == "module.toml" or (path.startswith("media/") and path.split(".")[0] in body)
    }
    return blob_store.read_files(named)


def _page_html(reading: CheckedFolder, place: str) -> str:
    if place == "text" and reading.guides:
        return reading.guides[0].html
    if not reading.modules:
        return ""
    module = reading.modules[0]
    if place in SHEET_NAMES:
        return module.sheets[place].html if place in module.sheets else ""
    key = place.partition(":")[2]
    return next((lesson.html for lesson in module.lessons if lesson.page.key == key), "")
