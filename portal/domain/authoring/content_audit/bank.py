"""The items of a module as somebody meets them who knows nothing but their words. Pure."""

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from portal.domain.assessment.item_selection import CandidateItem, draw_items
from portal.domain.catalogue.sources.validation import CheckedModule, RenderedItem
from portal.domain.item_kinds.base import Content, ItemKind, plain_text

_WORD = re.compile(r"[a-z0-9£%]+(?:[’'.:,-][a-z0-9]+)*")
SHORT_WORDS = frozenset(
    "a an and are as at be been but by can did do does for from had has have he her him his how i if in is it"
    " its me my no not of on or our she so that the their them then there they this to up was we were what"
    " when where which who will with would you your".split()
)


@dataclass(frozen=True)
class AuditItem:
    """One item with its words as a reader sees them."""

    number: int  # its place in the bank, from 0
    key: str
    outcome: str
    kind: ItemKind
    content: Content
    case: str  # the stimulus; empty where the item has none
    prompt: str
    sources: tuple[str, ...]

    @property
    def stem(self) -> str:
        """The case and the question, which a reader sees above the choices."""
        return f"{self.case} {self.prompt}".strip()

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The text of everything that can be chosen, by the key that a response holds."""
        return _texts_of(self.content)

    @cached_property
    def mark(self) -> str:
        """A hash of the words and of nothing else: an answer to these words is one to no others."""
        words = "\n".join([self.stem, *sorted(self.texts.values()), *_left_sides(self.content)])
        return hashlib.sha256(words.encode()).hexdigest()[:10]

    @property
    def is_recall(self) -> bool:
        """Whether it asks for knowledge without a case."""
        return not self.case and self.kind.name not in {"scenario", "report"}

    @property
    def is_decision(self) -> bool:
        """Whether it shows a scene and four courses to take, of which one is best."""
        is_choice = self.kind.name == "single" and len(self.texts) == 4
        return self.kind.name == "scenario" or (is_choice and bool(self.case))


@dataclass(frozen=True)
class Bank:
    """The items of a module that may be drawn, and how an attempt draws them."""

    module: str
    outcomes: tuple[str, ...]
    items: tuple[AuditItem, ...]
    draw: int
    at_least: int
    mastery: float

    @cached_property
    def _candidates(self) -> list[CandidateItem]:
        return [
            CandidateItem(item.number, item.outcome, tuple(item.kind.shufflable_keys(item.content)))
            for item in self.items
        ]

    def draw_attempt(self, chance: random.Random) -> list[tuple[AuditItem, tuple[str, ...]]]:
        """Draw an attempt as the assessment does: each item with the order of its choices."""
        drawn = draw_items(
            self._candidates,
            self.outcomes,
            count=self.draw,
            at_least=self.at_least,
            seen=(),
            chance=chance,
        )
        return [(self.items[candidate.id], candidate.choices) for candidate in drawn]


def read_bank(checked: CheckedModule) -> Bank:
    """Return the bank of a checked module, without retired items."""
    package = checked.package
    active = [rendered for rendered in checked.items if not rendered.item.retired]
    return Bank(
        module=package.key,
        outcomes=tuple(outcome.key for outcome in package.outcomes),
        items=tuple(_read_item(number, rendered) for number, rendered in enumerate(active)),
        draw=package.assessment.draw,
        at_least=package.assessment.at_least_per_outcome,
        mastery=float(package.mastery_score),
    )


def _read_item(number: int, rendered: RenderedItem) -> AuditItem:
    item = rendered.item
    return AuditItem(
        number=number,
        key=item.key,
        outcome=item.outcome,
        kind=item.kind,
        content=rendered.content,
        case=_one_line(rendered.stimulus_html or ""),
        prompt=_one_line(rendered.prompt_html),
        sources=tuple(item.source),
    )


def _one_line(html: str) -> str:
    return " ".join(plain_text(html).split())


def _texts_of(content: Content) -> dict[str, str]:
    """The choices, steps or options of an item, of each scene, or of each part of a report."""
    rows = [*content.get("choices", ()), *content.get("steps", ()), *content.get("options", ())]
    texts = {row["key"]: _one_line(row["html"]) for row in rows}
    for place in (*content.get("scenes", ()), *content.get("parts", ())):
        for row in place.get("choices", ()):
            texts[f"{place['key']}/{row['key']}"] = _one_line(row["html"])
    return texts


def _left_sides(content: Content) -> list[str]:
    return [_one_line(pair["left_html"]) for pair in content.get("pairs", ())]


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return _WORD.findall(text.lower())


def content_words(text: str) -> frozenset[str]:
    """Return the words that carry something: neither grammar nor very short."""
    return frozenset(word for word in words_of(text) if word not in SHORT_WORDS and len(word) > 2)


def find_twins(banks: Sequence[Bank], least: float = 0.4) -> list[tuple[str, str]]:
    """Pairs of items that share more than this part of their words, as ``module/key``."""
    words = [
        (f"{bank.module}/{item.key}", content_words(f"{item.stem} {' '.join(item.texts.values())}"))
        for bank in banks
        for item in bank.items
    ]
    return [
        (one, other)
        for index, (one, mine) in enumerate(words)
        for other, theirs in words[index + 1 :]
        if len(mine & theirs) > least * len(mine | theirs)
    ]
