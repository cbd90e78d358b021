"""One question of a draft as a learner would see it, with the words that stand in its editor now."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring import item_source, queries
from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.findings import check_cache
from portal.domain.authoring.findings import collect as finder
from portal.domain.authoring.findings.collect import Finding
from portal.domain.authoring.item_source import Preview, Table
from portal.domain.authoring.preview.lesson_preview import around
from portal.domain.authoring.queries import DraftState
from portal.domain.catalogue.services import Reading
from portal.domain.catalogue.sources.items import ItemText
from portal.domain.content_checks import metrics
from portal.domain.content_checks.metrics import BankLengths, Lengths

UNNAMED = "new-question"  # until it is added
UNWRITTEN = "Not written yet"
MOST_CHARACTERS = 60_000
_NAMES = frozenset(
    {"key", "kind", "outcome", "source", "start", "to"}
)  # what names something, and is no text


@dataclass(frozen=True, slots=True)
class DraftedItem:
    """A question, rendered, with what the check and the measures say about it."""

    preview: Preview | None  # None: it cannot be shown yet
    findings: list[Finding]
    words: int  # that a learner reads before the answer
    lengths: Lengths | None  # None: of a kind without choices, or without right or wrong ones yet
    bank: BankLengths | None  # over all questions, this one as it stands here; None: they cannot be read


def drafted_item(state: DraftState, table: Table) -> DraftedItem:
    """The question if it said ``table``; nothing of it is saved.

    Only what it can show is checked with it, not the questions beside it; see ``drafted``. A question that is
    too long to be saved is neither shown nor measured beyond its words.
    """
    words = sum(len(text.split()) for text in _asked(table))
    if sum(map(len, _texts(table))) > MOST_CHARACTERS:
        return DraftedItem(None, [], words, None, None)
    table = item_source.visible({**table, "key": table.get("key") or UNNAMED})
    files, reading = _read(state, table)
    found = finder.at(finder.findings(state.key, reading, files), f"item:{table['key']}")
    package = reading.modules[0].package if reading.modules else None
    item = next(iter(package.items), None) if package else None
    lengths = metrics.lengths(metrics.choices_of(item)) if item else None
    filled = _filled(table)
    shown = reading if filled == table else _read(state, filled)[1]
    preview = item_source.preview(shown, table["key"])
    return DraftedItem(preview, found, words, lengths, _bank(state, item))


def _read(state: DraftState, table: Table) -> tuple[dict[str, bytes], Reading]:
    """The files of a bank of this question alone with what it can show, and what the check makes of them."""
    written = item_bank.add({}, table)
    file = {path: content for path, content in written.items() if content is not None}
    files = around(state, "".join(content.decode() for content in file.values())) | file
    return files, check_cache.passing(state.key, files)


def _filled(value: Any, name: str = "") -> Any:
    """The table with a word in every place that is empty, so that what is there can be shown already."""
    if isinstance(value, dict):
        return {each: _filled(held, each) for each, held in value.items()}
    if isinstance(value, list):
        return [_filled(held, name) for held in value]
    return UNWRITTEN if isinstance(value, str) and not value.strip() and name not in _NAMES else value


def _bank(state: DraftState, item: ItemText | None) -> BankLengths | None:
    """Of the questions as they are saved, with ``item`` in its place."""
    reading = queries.reading_of(state.key, state.files)
    if not reading.modules:
        return None
    others = [each for each in reading.modules[0].package.items if item is None or each.key != item.key]
    return metrics.bank_lengths([*others, *([item] if item else [])])


def _asked(table: Table) -> Iterator[str]:
    """The texts that stand above and in the choices; what is told afterwards is left out."""
    return _texts(table, _NAMES | {"explanation", "feedback", "debrief", "model", "checklist"})


def _texts(value: Any, besides: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every text within a value, those under the names ``besides`` left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, besides)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in besides:
                yield from _texts(each, besides)
