"""Previews one question of a draft with the unsaved content of its editor."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.authoring import item_source, queries
from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.editing.details import read_details
from portal.domain.authoring.findings import check_cache
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.findings.collect import Finding
from portal.domain.authoring.item_source import ItemView, Table
from portal.domain.authoring.media import blob_store
from portal.domain.authoring.preview.lesson_preview import related_files
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.items import ItemText
from portal.domain.content_checks import metrics
from portal.domain.content_checks.metrics import BankLengths, ChoiceLengths

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
    table = item_source.strip_invisible({**table, "key": table.get("key") or NEW_ITEM_KEY})
    files, reading = _check_alone(state, table)
    findings = finder.findings_at(finder.collect_findings(state.key, reading, files), f"item:{table['key']}")
    package = reading.modules[0].package if reading.modules else None
    item = next(iter(package.items), None) if package else None
    lengths = metrics.choice_lengths(metrics.choices_of(item)) if item else None
    filled = _fill_blanks(table)
    shown_reading = reading if filled == table else _check_alone(state, filled)[1]
    preview = item_source.item_view(shown_reading, table["key"])
    return ItemPreview(preview, findings, words, lengths, _bank_lengths(state, item))


def preview_check(state: DraftState, table: Table) -> ItemPreview:
    """Preview a self-check in the same way; as it is not marked, it has neither outcome nor source."""
    files = blob_store.read_files({MODULE_FILE: state.files[MODULE_FILE]})
    outcome = next((key for key, _ in read_details(files[MODULE_FILE]).outcomes), "")
    seen = preview_item(state, {**table, "outcome": outcome, "source": "practice"})
    return replace(seen, bank=None)


def _check_alone(state: DraftState, table: Table) -> tuple[dict[str, bytes], CheckedFolder]:
    """The files of a bank with this question alone and what it can show, and the result of their check."""
    bank = item_bank.add_item({}, table)
    file = {path: content for path, content in bank.items() if content is not None}
    files = related_files(state, "".join(content.decode() for content in file.values())) | file
    return files, check_cache.check_unsaved_files(state.key, files)


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
    return _all_texts(table, _NAMES | {"explanation", "feedback", "debrief", "model", "checklist"})


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
