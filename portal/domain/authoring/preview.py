"""Previews of a draft: learners' pages with what is not saved yet."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from portal.domain.authoring import findings as authoring_findings
from portal.domain.authoring import item_files, models, queries
from portal.domain.authoring.content_diff import front_matter, question_name
from portal.domain.authoring.content_types import read_details
from portal.domain.authoring.findings import Finding, check_draft_hashes
from portal.domain.authoring.queries import DraftState, SavedState
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.markdown import PHONE_QUERY, add_container_rules
from portal.domain.catalogue.module_check import CheckedModule, RenderedItem, RenderedPage, version_fields
from portal.domain.catalogue.module_source import SHEET_NAMES, lesson_key, sheet_of_path
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.source_files import ItemText
from portal.domain.catalogue.version_cache import (
    PublishedActivity,
    PublishedItem,
    PublishedLesson,
    PublishedVersion,
    VersionContent,
    shared_key,
)
from portal.domain.content_checks import metrics
from portal.domain.content_checks.metrics import BankLengths, ChoiceLengths, TextMeasures
from portal.domain.item_kinds.base import Answer, ItemKind
from portal.domain.learning.queries import ModuleProgress
from portal.domain.people.staff_numbers import duty_words
from portal.platform.errors import NotFoundError
from portal.platform.formats.toml_tables import NOTE

# Converts a draft to the objects that learners' pages are rendered from; nothing is stored.


def draft_module(state: DraftState) -> ModuleProgress:
    """The draft as a module that the learner has not started."""
    return ModuleProgress(
        version=draft_version(state),
        shared=shared_key(),
        progress=None,
        passed=False,
        archived=False,
        duties=(),
        open_attempt=None,
        attempts_begun=0,
    )


def list_paths(module: ModuleProgress) -> list[tuple[str, list[str], int]]:
    """The paths by duty: for whom, the titles of the lessons, and the minutes with the assessment."""
    paths = []
    for path in module.version.duty_paths:
        own = replace(module, duties=tuple(path["for"]))
        names = duty_words(path["for"]).capitalize() or "Everybody else"
        paths.append((names, [lesson.title for lesson in own.lessons], own.minutes))
    return paths


def link_to_previews(key: str, html: str) -> str:
    """Point the links to lessons in rendered text at the lessons' previews."""
    return html.replace(f'href="/learning/modules/{key}/lessons/', f'href="/authoring/{key}/preview/lessons/')


def draft_version(state: DraftState) -> PublishedVersion:
    """The draft as a published version with the next number, dated at its last save."""
    checked = _check_draft(state)
    content = VersionContent(
        {position: rendered.html for position, rendered in enumerate(checked.lessons, 1)},
        tuple(_published_item(position, rendered) for position, rendered in enumerate(checked.items, 1)),
        {position: rendered.case for position, rendered in enumerate(checked.lessons, 1) if rendered.case},
    )
    return PublishedVersion(
        id=0,
        number=(state.published_number or 0) + 1,
        **version_fields(checked),
        published_at=state.last_saved_at,
        activity=PublishedActivity(0, "module", state.key),
        lessons=tuple(
            _published_lesson(position, rendered) for position, rendered in enumerate(checked.lessons, 1)
        ),
        load_content=lambda: content,
    )


def draft_sheet(state: DraftState, place: str) -> str:
    """The text of the draft's job aid or briefing."""
    sheet = _check_draft(state).sheets.get(place)
    if sheet is None:
        raise NotFoundError(f"This draft has no {SHEET_NAMES[place].lower()}.")
    return sheet.html


def _check_draft(state: DraftState) -> CheckedModule:
    reading = check_draft_hashes(state.key, state.files)
    if not reading.modules:
        raise NotFoundError("The details of this draft cannot be read.")
    return reading.modules[0]


def _published_lesson(position: int, rendered: RenderedPage) -> PublishedLesson:
    page = rendered.page
    case_kind = page.case.kind.name if page.case else None
    return PublishedLesson(position, position, page.key, page.title, page.minutes, page.outcomes, case_kind)


def _published_item(position: int, rendered: RenderedItem) -> PublishedItem:
    item = rendered.item
    return PublishedItem(
        id=position,
        position=position,
        key=item.key,
        outcome=item.outcome,
        kind=item.kind.name,
        prompt_html=rendered.prompt_html,
        stimulus_html=rendered.stimulus_html,
        explanation_html=rendered.explanation_html,
        content=rendered.content,
        source=item.source,
        retired=item.retired,
    )


# Inserts marks into a preview: each finding below its block, as the target of a link. Pure functions.

# Private-use characters, which no author's text contains.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"<p[^>]*>{_OPEN}([0-9]+){_CLOSE}</p>")


class _IgnoredFaults:
    """Ignores faults met while parsing blocks; the check has already reported them."""

    def add_fault(self, line: int, reason: str) -> None:
        """Ignore the fault."""


def _build_parser() -> MarkdownIt:
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    add_container_rules(engine)
    return engine


_ENGINE = _build_parser()


def mark_findings(body: str, findings: Sequence[Finding]) -> str:
    """Insert a marker line for each finding with a line number, below the block that contains the line.

    Args:
        body: The Markdown.
        findings: The findings about this text; their lines count from 1 within it.
    """
    rows = body.split("\n")
    ends = _block_ends(body)
    below: dict[int, list[int]] = {}
    for number, finding in enumerate(findings, 1):
        if finding.line is not None:
            end = next((end for end in ends if end >= finding.line), len(rows))
            below.setdefault(end, []).append(number)
    lines: list[str] = []
    for at, row in enumerate(rows, 1):
        lines.append(row)
        for number in below.get(at, ()):
            lines += ["", f"{_OPEN}{number}{_CLOSE}", ""]
    return "\n".join(lines)


def _block_ends(body: str) -> list[int]:
    """The last line of each top-level block, counted from 1."""
    env: dict[str, Any] = {"location": _IgnoredFaults()}
    tokens = _ENGINE.parse(body, env)
    return [token.map[1] for token in tokens if token.map and token.level == 0]


def render_marks(html: str, findings: Sequence[Finding]) -> str:
    """Replace the markers in rendered text by the findings' messages, with ids ``mark-1`` and so on."""

    def render_mark(match: re.Match[str]) -> str:
        finding = findings[int(match[1]) - 1]
        line = Markup('<p class="portal-mark" id="mark-{}" tabindex="-1"><strong>{}:</strong> {}</p>')
        return str(line.format(match[1], str(finding.level), escape(finding.message)))

    return _MARK.sub(render_mark, html)


# Previews one text of a draft with the unsaved content of its editor.


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
    reading = authoring_findings.check_unsaved_files(state.key, files)
    findings = authoring_findings.findings_at(
        authoring_findings.collect_findings(state.key, reading, files), place
    )
    if any(finding.line is not None for finding in findings):
        files[path] = (text[: len(text) - len(body)] + mark_findings(body, findings)).encode()
        reading = authoring_findings.check_unsaved_files(state.key, files)
    html = render_marks(_page_html(reading, place), findings).replace(f'media="{PHONE_QUERY}"', 'media="all"')
    html = link_to_previews(state.key, html)
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
    return models.read_files(named)


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


# Converts between an item's table and its form, and renders an item for its page.

Table = dict[str, Any]
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")
COMMON_KEYS = (
    "key",
    "outcome",
    "kind",
    "stimulus",
    "prompt",
    "explanation",
    "source",
    "for",
    "retired",
    "note",
)


@dataclass(frozen=True, slots=True)
class ItemView:
    """An unanswered item as learners see it."""

    kind: ItemKind
    prompt_html: str
    stimulus_html: str | None
    content: dict[str, Any]
    controls: Any


def table_digest(table: Table | None) -> str:
    """A hash of the table; pages send it back, so that a save based on an older table is recognised."""
    canonical = json.dumps(table, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def merge_form_values(old: Table, form_values: Table, kind_values: Table) -> Table:
    """The old table with the form's values; keys of the kind that the form does not send are dropped."""
    new = {name: value for name, value in old.items() if name in COMMON_KEYS}
    for name, value in form_values.items():
        if value or name in {"prompt", "explanation", "outcome", "source"}:
            new[name] = value
        else:
            new.pop(name, None)
    if _as_list(new.get("source")) == _as_list(old.get("source")) and "source" in old:
        new["source"] = old["source"]
    if "for" in new and sorted(new["for"]) == sorted(old.get("for", [])):
        new["for"] = old["for"]
    filled = {name: value for name, value in kind_values.items() if value not in (None, "", [])}
    return new | _keep_notes(old, filled)


def _keep_notes(old: Table, new: Table) -> Table:
    """The new values, with the notes of rows, of which the form knows nothing."""
    kept = dict(new)
    for name, rows in new.items():
        if not isinstance(rows, list) or not isinstance(old.get(name), list):
            continue
        before = {row.get("key"): row for row in old[name] if isinstance(row, dict)}
        kept[name] = [
            ({NOTE: was[NOTE]} if NOTE in was else {}) | _keep_notes(was, row)
            if isinstance(row, dict) and (was := before.get(row.get("key")))
            else row
            for row in rows
        ]
    return kept


def new_table(key: str, values: Table) -> Table:
    """The table of a new item, with the keys that every kind has before those of its own."""
    common_values = {name: values[name] for name in COMMON_KEYS if name in values}
    return {"key": key, **common_values, **values}


def _as_list(source: Any) -> list[Any]:
    return source if isinstance(source, list) else [source]


def file_with_digest(
    saves: Iterable[SavedState], path: str, read_table: Callable[[bytes], Table | None], digest: str
) -> bytes | None:
    """The newest saved version of the file in which a table has this digest; None where there is none.

    Args:
        saves: The draft's states, the newest first.
        path: The file.
        read_table: Returns the table in a version of the file, or None.
        digest: As ``table_digest`` gives it.
    """
    for sha in dict.fromkeys(saved.files[path] for saved in saves if path in saved.files):
        content = models.read_content(sha)
        if table_digest(read_table(content)) == digest:
            return content
    return None


def file_for_new_item(files: Mapping[str, bytes], outcome: str) -> str:
    """The file for a new item: that of the last item with the same outcome, else the bank's last file."""
    places = item_files.read_items(files)
    same = [place.path for place in places if place.table.get("outcome") == outcome]
    return same[-1] if same else places[-1].path if places else item_files.FIRST_FILE


def item_view(reading: CheckedFolder, key: str) -> ItemView | None:
    """The rendered item with this key; None where it is not complete enough to be shown."""
    rendered: list[RenderedItem] = reading.modules[0].items if reading.modules else []
    rendered_item = next((candidate for candidate in rendered if candidate.item.key == key), None)
    if rendered_item is None:
        return None
    kind = rendered_item.item.kind
    try:
        order = kind.shufflable_keys(rendered_item.content)
        controls = kind.build_view(rendered_item.content, order, Answer())
    except (KeyError, IndexError, ValueError, StopIteration):
        return None  # incomplete; the findings name what is missing
    return ItemView(
        kind, rendered_item.prompt_html, rendered_item.stimulus_html, rendered_item.content, controls
    )


def strip_invisible(value: Any) -> Any:
    """The value without invisible characters and None values, which a module's files may not contain."""
    if isinstance(value, dict):
        return {name: strip_invisible(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [strip_invisible(member) for member in value]
    return _INVISIBLE.sub("", value) if isinstance(value, str) else value


def item_name(key: str) -> str:
    """The item's name for authors."""
    return question_name(key)


# Previews one question of a draft with the unsaved content of its editor.

MODULE_FILE = "module.toml"
NEW_ITEM_KEY = "new-question"  # the key of a question that is not added yet
PLACEHOLDER = "Not written yet"
MOST_CHARACTERS = 60_000
_NAMES = frozenset(
    {"key", "kind", "outcome", "source", "start", "to"}
)  # keys whose values are names, not text


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """A rendered question with its findings and metrics."""

    view: ItemView | None  # None: too incomplete to be shown
    findings: list[Finding]
    words: int  # number of words that a learner reads before answering
    lengths: ChoiceLengths | None  # None: no choices, or no right or no wrong ones
    bank: BankLengths | None  # over all questions, including this one; None: the module cannot be parsed


def preview_item(state: DraftState, table: Table) -> ItemPreview:
    """Preview the question with the content of ``table``; nothing is saved.

    Only what it can show is checked with it, not the other questions; see ``preview_text``. Of a question
    that is too long to be saved, only the words are counted.
    """
    words = sum(len(text.split()) for text in _texts_before_answer(table))
    if sum(map(len, _all_texts(table))) > MOST_CHARACTERS:
        return ItemPreview(None, [], words, None, None)
    table = strip_invisible({**table, "key": table.get("key") or NEW_ITEM_KEY})
    files, reading = _check_alone(state, table)
    findings = authoring_findings.findings_at(
        authoring_findings.collect_findings(state.key, reading, files), f"item:{table['key']}"
    )
    package = reading.modules[0].package if reading.modules else None
    item = next(iter(package.items), None) if package else None
    lengths = metrics.choice_lengths(metrics.choices_of(item)) if item else None
    filled = _fill_blanks(table)
    shown_reading = reading if filled == table else _check_alone(state, filled)[1]
    preview = item_view(shown_reading, table["key"])
    return ItemPreview(preview, findings, words, lengths, _bank_lengths(state, item))


def preview_check(state: DraftState, table: Table) -> ItemPreview:
    """Preview a self-check in the same way; as it is not marked, it has neither outcome nor source."""
    files = models.read_files({MODULE_FILE: state.files[MODULE_FILE]})
    outcome = next((key for key, _ in read_details(files[MODULE_FILE]).outcomes), "")
    seen = preview_item(state, {**table, "outcome": outcome, "source": "practice"})
    return replace(seen, bank=None)


def _check_alone(state: DraftState, table: Table) -> tuple[dict[str, bytes], CheckedFolder]:
    """The files of a bank with this question alone and what it can show, and the result of their check."""
    bank = item_files.add_item({}, table)
    file = {path: content for path, content in bank.items() if content is not None}
    files = related_files(state, "".join(content.decode() for content in file.values())) | file
    return files, authoring_findings.check_unsaved_files(state.key, files)


def _fill_blanks(value: Any, name: str = "") -> Any:
    """Fill each empty text of the table with a placeholder, so that an incomplete question can be shown."""
    if isinstance(value, dict):
        return {member_name: _fill_blanks(member, member_name) for member_name, member in value.items()}
    if isinstance(value, list):
        return [_fill_blanks(member, name) for member in value]
    return PLACEHOLDER if isinstance(value, str) and not value.strip() and name not in _NAMES else value


def _bank_lengths(state: DraftState, item: ItemText | None) -> BankLengths | None:
    """Length metrics of the saved questions, with ``item`` replacing its saved form."""
    reading = queries.check_draft_hashes(state.key, state.files)
    if not reading.modules:
        return None
    others = [
        question for question in reading.modules[0].package.items if item is None or question.key != item.key
    ]
    return metrics.bank_lengths([*others, *([item] if item else [])])


def _texts_before_answer(table: Table) -> Iterator[str]:
    """The texts of the question and its choices, without those shown after the answer."""
    return _all_texts(table, _NAMES | {"explanation", "feedback", "debrief", "model", "checklist", NOTE})


def _all_texts(value: Any, besides: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every text within a value, except those under the names in ``besides``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from _all_texts(member, besides)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in besides:
                yield from _all_texts(member, besides)
