"""One question of a draft as a learner would see it, with the words that stand in its editor now."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring import item_source, queries
from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.findings import check_cache
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.findings.collect import Finding
from portal.domain.authoring.item_source import ItemView, Table
from portal.domain.authoring.preview.lesson_preview import related_files
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.items import ItemText
from portal.domain.content_checks import metrics
from portal.domain.content_checks.metrics import BankLengths, Lengths

NEW_ITEM_KEY = "new-question"  # until it is added
PLACEHOLDER = "Not written yet"
MOST_CHARACTERS = 60_000
_NAMES = frozenset(
    {"key", "kind", "outcome", "source", "start", "to"}
)  # what names something, and is no text


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """A question, rendered, with what the check and the measures say about it."""

    view: ItemView | None  # None: it cannot be shown yet
    findings: list[Finding]
    words: int  # that a learner reads before the answer
    lengths: Lengths | None  # None: of a kind without choices, or without right or wrong ones yet
    bank: BankLengths | None  # over all questions, this one as it stands here; None: they cannot be read


def preview_item(state: DraftState, table: Table) -> ItemPreview:
    """The question if it said ``table``; nothing of it is saved.

    Only what it can show is checked with it, not the questions beside it; see ``preview_text``. A question
    that is too long to be saved is neither shown nor measured beyond its words.
    """
    words = sum(len(text.split()) for text in _texts_before_answer(table))
    if sum(map(len, _all_texts(table))) > MOST_CHARACTERS:
        return ItemPreview(None, [], words, None, None)
    table = item_source.strip_invisible({**table, "key": table.get("key") or NEW_ITEM_KEY})
    files, reading = _check_alone(state, table)
    found = finder.findings_at(finder.collect_findings(state.key, reading, files), f"item:{table['key']}")
    package = reading.modules[0].package if reading.modules else None
    item = next(iter(package.items), None) if package else None
    lengths = metrics.lengths(metrics.choices_of(item)) if item else None
    filled = _fill_blanks(table)
    shown = reading if filled == table else _check_alone(state, filled)[1]
    preview = item_source.item_view(shown, table["key"])
    return ItemPreview(preview, found, words, lengths, _bank_lengths(state, item))


def _check_alone(state: DraftState, table: Table) -> tuple[dict[str, bytes], CheckedFolder]:
    """The files of a bank of this question alone with what it can show, and what the check makes of them."""
    written = item_bank.add_item({}, table)
    file = {path: content for path, content in written.items() if content is not None}
    files = related_files(state, "".join(content.decode() for content in file.values())) | file
    return files, check_cache.check_unsaved_files(state.key, files)


def _fill_blanks(value: Any, name: str = "") -> Any:
    """The table with a word in every place that is empty, so that what is there can be shown already."""
    if isinstance(value, dict):
        return {each: _fill_blanks(held, each) for each, held in value.items()}
    if isinstance(value, list):
        return [_fill_blanks(held, name) for held in value]
    return PLACEHOLDER if isinstance(value, str) and not value.strip() and name not in _NAMES else value


def _bank_lengths(state: DraftState, item: ItemText | None) -> BankLengths | None:
    """Of the questions as they are saved, with ``item`` in its place."""
    reading = queries.check_draft_hashes(state.key, state.files)
    if not reading.modules:
        return None
    others = [each for each in reading.modules[0].package.items if item is None or each.key != item.key]
    return metrics.bank_lengths([*others, *([item] if item else [])])


def _texts_before_answer(table: Table) -> Iterator[str]:
    """The texts that stand above and in the choices; what is told afterwards is left out."""
    return _all_texts(table, _NAMES | {"explanation", "feedback", "debrief", "model", "checklist"})


def _all_texts(value: Any, besides: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every text within a value, those under the names ``besides`` left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _all_texts(each, besides)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in besides:
                yield from _all_texts(each, besides)
