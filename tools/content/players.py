"""Ten ways to answer from the surface of the words, and how each plays an item. Pure."""

import hashlib
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cached_property

from portal.domain.assessment.models import reaches_mastery
from portal.domain.assessment.services import CandidateItem, draw_items
from portal.domain.catalogue.module_check import CheckedModule, RenderedItem
from portal.domain.catalogue.source_files import COMMON_SENSE
from portal.domain.item_kinds.base import Content, ItemKind, plain_text
from portal.domain.item_kinds.match_answers import format_pairs
from portal.domain.item_kinds.scenario.marking import scenes_by_key
from portal.platform.errors import BadInputError
from portal.platform.formats.toml_tables import Faults, Source
from portal.platform.formats.toml_writer import format_toml

# The items of a module as somebody meets them who knows nothing but their words. Pure.

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


HEDGES = frozenset(
    "about almost appear appears believe could doubt far if likely may might nearly not perhaps possible"
    " possibly probably rarely seem seems seldom some sometimes think unless usually whether".split()
)
KIND_WORDS = frozenset(
    "agree agrees alone apart ask asks calm careful carefully consent explain fear first gently help helps"
    " hurt kind kindly listen need needs offer protect safe safely safest tell tells trust victim wait warm"
    " wish wishes".split()
)
OFFICES = frozenset(
    "act agency authority coastguard cid coordinator council court crown custody desk detective detectives"
    " duty document enforcement fire force gain home immigration inspector intelligence law nccu nrm"
    " office officer pace police policy power prosecutor record referral report rocu schedule section senior"
    " sergeant service social specialist superintendent supervisor unit".split()
)
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"(?<!^)(?<![.!?“] )\b[A-Z]")

Scorer = Callable[[str, Sequence[str], str], float]  # a choice, all choices of the place, the stem


@dataclass(frozen=True)
class Strategy:
    """A way to answer that looks at words alone: it takes the choice with the greatest score."""

    name: str
    score: Scorer


def _share_of(words: frozenset[str]) -> Scorer:
    return lambda text, _texts, _stem: sum(word in words for word in words_of(text))


def _is_middle(text: str, texts: Sequence[str], _stem: str) -> float:
    """Nearness to the median length of the choices."""
    lengths = sorted(map(len, texts))
    return -abs(len(text) - lengths[len(lengths) // 2])


def _detail(text: str, _texts: Sequence[str], _stem: str) -> float:
    return len(_NUMBER.findall(text)) + len(_NAME.findall(text)) + 0.01 * len(text)


def _echo(text: str, _texts: Sequence[str], stem: str) -> float:
    return len(content_words(text) & content_words(stem))


def _common_ground(text: str, texts: Sequence[str], _stem: str) -> float:
    """The words that it shares with the other choices: the right one is often what they vary."""
    return sum(len(content_words(text) & content_words(other)) for other in texts if other != text)


STRATEGIES = (
    Strategy("the longest choice", lambda text, _texts, _stem: len(text)),
    Strategy("the shortest choice", lambda text, _texts, _stem: -len(text)),
    Strategy("the choice of middle length", _is_middle),
    Strategy("the first choice", lambda _text, _texts, _stem: 0),
    Strategy("the most exact choice", _detail),
    Strategy("the most hedged choice", _share_of(HEDGES)),
    Strategy("the kindest and most careful choice", _share_of(KIND_WORDS)),
    Strategy("the most official choice", _share_of(OFFICES)),
    Strategy("the choice most like the question", _echo),
    Strategy("the choice most like the others", _common_ground),
)


class Player:
    """Plays items by one strategy; remembers what it thinks of each choice."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._scores: dict[int, Mapping[str, float]] = {}  # by the identity of the item

    def answer(self, item: AuditItem, order: Sequence[str]) -> list[str]:
        """Answer an item whose choices are shown in this order; of equal ones, the first shown."""
        keys = list(order) or list(item.texts)
        if item.kind.name == "scenario":
            return self._walk(item, keys)
        if item.kind.name == "report":
            return [
                self._best(item, keys, part["key"]) for part in item.content["parts"] if "choices" in part
            ]
        if item.kind.name == "match":
            options = self._rank(item, keys)
            return format_pairs(
                {
                    pair["key"]: self._closest(item, pair["left_html"], options)
                    for pair in item.content["pairs"]
                }
            )
        ranked = self._rank(item, keys)
        if item.kind.name == "order":
            return format_pairs({key: str(place) for place, key in enumerate(ranked, 1)})
        return ranked[: len(item.kind.best_choices(item.content))]  # “Which two”: the stem says how many

    def _rank(self, item: AuditItem, keys: Sequence[str]) -> list[str]:
        scores = self._scores_of(item)
        return sorted(keys, key=lambda key: -scores[key])

    def _best(self, item: AuditItem, keys: Sequence[str], place: str) -> str:
        return self._rank(item, [key for key in keys if key.rpartition("/")[0] == place])[0]

    def _walk(self, item: AuditItem, keys: Sequence[str]) -> list[str]:
        scenes, scene, path = scenes_by_key(item.content), str(item.content["start"]), list[str]()
        while scenes[scene]["choices"]:
            path.append(self._best(item, keys, scene))
            chosen = path[-1].rpartition("/")[2]
            scene = next(choice["to"] for choice in scenes[scene]["choices"] if choice["key"] == chosen)
        return path

    def _closest(self, item: AuditItem, left: str, options: Sequence[str]) -> str:
        """The option that shares most words with the left side; among equals, as the strategy ranks."""
        return max(options, key=lambda key: len(content_words(left) & content_words(item.texts[key])))

    def _scores_of(self, item: AuditItem) -> Mapping[str, float]:
        if id(item) not in self._scores:
            self._scores[id(item)] = {
                key: self._strategy.score(text, _neighbours(item, key), item.stem)
                for key, text in item.texts.items()
            }
        return self._scores[id(item)]


def _neighbours(item: AuditItem, key: str) -> list[str]:
    """All texts of the list that a choice is part of, its own included."""
    place = key.rpartition("/")[0]
    return [text for other, text in item.texts.items() if other.rpartition("/")[0] == place]


# Plays attempts drawn as in the assessment, and counts passes. Pure; the same seed plays the same draws.

DRAWS = 1_000
Answerer = Callable[
    [AuditItem, Sequence[str]], Sequence[str]
]  # an item and the order shown; choices as stored


@dataclass(frozen=True)
class PlayResult:
    """What a way of answering reaches in one module."""

    passes: int
    draws: int
    mean: float  # scaled score, 0 to 1

    @property
    def pass_share(self) -> float:
        """The share of attempts that pass."""
        return self.passes / self.draws


def play(bank: Bank, answer: Answerer, *, draws: int = DRAWS, seed: int = 1) -> PlayResult:
    """Answer as many attempts as ``draws`` and count those that reach mastery."""
    chance = random.Random(seed)  # noqa: S311 - a simulation that must repeat
    mastery = Decimal(str(bank.mastery))
    passes, total = 0, Decimal(0)
    for _ in range(draws):
        attempt = bank.draw_attempt(chance)
        marks = sum(
            (item.kind.mark_answer(item.content, answer(item, order)) for item, order in attempt), Decimal(0)
        )
        passes += reaches_mastery(marks, len(attempt), mastery)
        total += marks / len(attempt)
    return PlayResult(passes, draws, float(total / draws))


# The key of a sensible reader who has not seen the lessons: a sheet to answer, and the answers kept.
#
# The sheet has the questions of a bank in an order without meaning, with choices shuffled, and nothing
# that says which is right. A filled-in sheet becomes ``common-sense.toml`` beside the bank. An answer
# belongs to the words that were read: when an author changes them, it no longer counts, and the audit
# says so.

LETTERS = "abcdefgh"
CASE_KINDS = frozenset({"scenario", "report"})  # too long for a letter; the audit counts them as right

SHEET_HEAD = """\
# Questions to answer by common sense

For a reader who has not seen the lessons. Write after “Answer:” the letter of the choice that you think
best. Where two or more are asked for, write so many letters. Steps: all letters, in order. Pairs: a letter
for each number, in the order of the numbers. Leave nothing empty; where you do not know, guess.
"""
_ANSWER = re.compile(r"^## ([0-9a-f]{10})\n.*?^Answer:[ \t]*([a-h ]*)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class SenseAnswer:
    """One answer of the reader."""

    item: str  # its key
    words: str  # the mark of the words that were read
    choices: tuple[str, ...]  # as a response holds them
    blind: bool  # False: written by somebody who knew the lessons, as what such a reader would choose


class SenseKey:
    """The reader's answers to one bank."""

    def __init__(self, answers: Iterable[SenseAnswer]) -> None:
        self._by_words = {(answer.item, answer.words): answer for answer in answers}

    def find(self, item: AuditItem) -> SenseAnswer | None:
        """The answer to these words; None if there is none."""
        return self._by_words.get((item.key, item.mark))

    def choose(self, item: AuditItem, _order: Sequence[str] = ()) -> Sequence[str]:
        """Answer as the reader did; without an answer, right: nobody fails for what was not asked."""
        answer = self.find(item)
        return answer.choices if answer else item.kind.best_choices(item.content)

    def is_blind(self, item: AuditItem) -> bool:
        """Whether these words were answered by somebody who had not seen the lessons."""
        answer = self.find(item)
        return answer is not None and answer.blind

    def guesser(self, seed: int) -> Callable[[AuditItem, Sequence[str]], Sequence[str]]:
        """Answer as the blind reader did, and guess where the answer is not blind."""
        chance = random.Random(seed)  # noqa: S311 - a simulation that must repeat

        def choose(item: AuditItem, order: Sequence[str]) -> Sequence[str]:
            is_guess = self.find(item) is not None and not self.is_blind(item)
            return item.kind.random_choices(item.content, chance) if is_guess else self.choose(item, order)

        return choose

    def is_right(self, item: AuditItem) -> bool:
        """Whether the reader earns the full mark."""
        return item.kind.mark_answer(item.content, self.choose(item)) == 1


def read_key(module: str, files: Mapping[str, bytes]) -> SenseKey:
    """Read the key beside a bank; empty if there is none.

    Raises:
        BadInputError: The file cannot be read.
    """
    if COMMON_SENSE not in files:
        return SenseKey(())
    faults = Faults()
    root = Source(files[COMMON_SENSE].decode(), f"{module}/{COMMON_SENSE}", faults).root()
    answers = []
    for table in root.tables("answer") if root else ():
        choices = tuple(table.texts("choices"))
        answers.append(SenseAnswer(table.text("item"), table.text("words"), choices, table.flag("blind")))
        table.close()
    faults.refuse()
    return SenseKey(answers)


def format_key(answers: Iterable[SenseAnswer]) -> str:
    """Format answers as the file beside the bank."""
    rows = sorted(answers, key=lambda answer: answer.item)
    return format_toml({"answer": [asdict(answer) for answer in rows]})


def format_sheet(banks: Sequence[Bank], *, only_open: Mapping[str, SenseKey] | None = None) -> str:
    """Format the sheet to answer.

    Args:
        banks: Their questions, all mixed.
        only_open: The keys by module; questions that have a blind answer are left out.
    """
    items = [
        item
        for bank in banks
        for item in bank.items
        if item.kind.name not in CASE_KINDS and not (only_open and only_open[bank.module].is_blind(item))
    ]
    return SHEET_HEAD + "".join(_question(item) for item in sorted(items, key=lambda item: item.mark))


def read_sheet(sheet: str, banks: Sequence[Bank], *, blind: bool) -> dict[str, list[SenseAnswer]]:
    """Read a filled-in sheet: the answers by module."""
    letters = {mark: typed.replace(" ", "") for mark, typed in _ANSWER.findall(sheet)}
    answers: dict[str, list[SenseAnswer]] = {}
    problems = []
    for bank in banks:
        for item in bank.items:
            typed = letters.get(item.mark, "")
            choices = _choices_of(item, typed) if typed else []
            if typed and not _is_whole(item, choices):
                problems.append(f"{item.mark}: “{typed}” is no answer to “{item.prompt}”")
            elif typed:
                answer = SenseAnswer(item.key, item.mark, tuple(choices), blind)
                answers.setdefault(bank.module, []).append(answer)
    if problems:
        raise BadInputError(problems)
    return answers


def merge_answers(kept: SenseKey, new: Iterable[SenseAnswer], bank: Bank) -> list[SenseAnswer]:
    """The answers to the words of today: new ones first, then those kept."""
    by_item = {answer.item: answer for item in bank.items if (answer := kept.find(item))}
    return list((by_item | {answer.item: answer for answer in new}).values())


def _shuffled_keys(item: AuditItem) -> list[str]:
    """The choices in the order of the sheet, which depends on the words alone."""
    keys = sorted(item.texts, key=lambda key: item.texts[key])
    random.Random(item.mark).shuffle(keys)  # noqa: S311 - nothing to guess
    return keys


def _question(item: AuditItem) -> str:
    lines = [f"\n## {item.mark}", "", *([item.case] if item.case else []), f"**{item.prompt}**", ""]
    lines += [f"{n}. {plain_text(pair['left_html'])}" for n, pair in enumerate(_pairs(item), 1)]
    lines += [f"- {letter}: {item.texts[key]}" for letter, key in _lettered(item)]
    return "\n".join([*lines, "", "Answer:", ""])


def _lettered(item: AuditItem) -> Iterator[tuple[str, str]]:
    return zip(LETTERS, _shuffled_keys(item), strict=False)


def _is_whole(item: AuditItem, choices: Sequence[str]) -> bool:
    is_one = len(choices) == 1 or item.kind.name != "single"
    return is_one and item.kind.is_complete(item.content, choices)


def _pairs(item: AuditItem) -> Sequence[Mapping[str, str]]:
    """The pairs of a match by their left sides: the file may have them in a telling order."""
    return sorted(item.content.get("pairs", ()), key=lambda pair: str(pair["left_html"]))


def _choices_of(item: AuditItem, typed: str) -> list[str]:
    """The letters as a response holds them; letters that are not on the sheet are left out."""
    by_letter = dict(_lettered(item))
    keys = [by_letter[letter] for letter in typed if letter in by_letter]
    if item.kind.name == "order":
        return format_pairs({key: str(place) for place, key in enumerate(keys, 1)})
    if item.kind.name == "match":
        return format_pairs(dict(zip([pair["key"] for pair in _pairs(item)], keys, strict=False)))
    return keys


# A model that learns cues: trained on the choices of some modules, tested on those of another. Pure.
#
# A conditional logistic regression (McFadden's choice model): of the choices of one item, the probability
# of each is the softmax of its features' weighted sum. It sees the surface alone: lengths, counts of
# kinds of words, and frequent words. If it does better than chance on a module that it never saw, right
# choices are recognised by how they are written.

ROUNDS, STEP, SHRINK = 80, 0.8, 0.02
FREQUENT = 8  # a word is a feature if this many training choices have it

Features = Mapping[str, float]
Weights = dict[str, float]


@dataclass(frozen=True)
class ChoiceSet:
    """The choices of one item: the features of each, and which are right."""

    features: tuple[Features, ...]
    right: tuple[bool, ...]

    @property
    def chance(self) -> float:
        """The share of right choices."""
        return sum(self.right) / len(self.right)


@dataclass(frozen=True)
class CueResult:
    """How often the model is right on a module that it did not see, and how often chance would be."""

    items: int
    right: float
    chance: float

    @property
    def points_above_chance(self) -> float:
        """In percentage points."""
        return 100 * (self.right - self.chance)


def choice_sets(items: Sequence[AuditItem]) -> list[ChoiceSet]:
    """The choices of each single or multiple choice item, with their features."""
    return [_read_choice_set(item) for item in items if item.kind.name in {"single", "multiple"}]


def play_cues(training: Sequence[ChoiceSet], tested: Sequence[ChoiceSet]) -> CueResult:
    """Train on some items and test on others: the choice thought most likely is right, or it is not."""
    vocabulary = _frequent_words(training)
    weights = _train([_limit(choices, vocabulary) for choices in training])
    hits = sum(_hit_share(choices, weights) for choices in tested)
    count = len(tested) or 1
    return CueResult(len(tested), hits / count, sum(each.chance for each in tested) / count)


def _read_choice_set(item: AuditItem) -> ChoiceSet:
    right = set(item.kind.best_choices(item.content))
    texts = list(item.texts.values())
    return ChoiceSet(
        tuple(dict(_features_of(text, texts, item.stem)) for text in texts),
        tuple(key in right for key in item.texts),
    )


def _features_of(text: str, texts: Sequence[str], stem: str) -> Iterator[tuple[str, float]]:
    """The score by each surface strategy, as how far it lies above the other choices'; and the words."""
    for strategy in STRATEGIES:
        scores = [strategy.score(other, texts, stem) for other in texts]
        spread = max(scores) - min(scores)
        if spread:
            mean = sum(scores) / len(scores)
            yield strategy.name, (strategy.score(text, texts, stem) - mean) / spread
    for sign in "“?,;:":
        if sign in text:
            yield f"sign {sign}", 1.0
    for word in set(words_of(text)):
        yield f"word {word}", 0.5


def _frequent_words(sets: Sequence[ChoiceSet]) -> frozenset[str]:
    counts = Counter(name for choices in sets for features in choices.features for name in features)
    return frozenset(name for name, count in counts.items() if count >= FREQUENT)


def _limit(choices: ChoiceSet, names: frozenset[str]) -> ChoiceSet:
    limited = tuple({name: x for name, x in each.items() if name in names} for each in choices.features)
    return ChoiceSet(limited, choices.right)


def _train(sets: Sequence[ChoiceSet]) -> Weights:
    """Gradient ascent on the mean log-likelihood, with weights shrunk towards 0."""
    weights: Weights = {}
    for _ in range(ROUNDS):
        gradient = defaultdict[str, float](float)
        for choices in sets:
            share = 1 / sum(choices.right)
            for features, likely, right in zip(
                choices.features, _softmax(choices, weights), choices.right, strict=True
            ):
                pull = (share if right else 0.0) - likely
                for name, value in features.items():
                    gradient[name] += pull * value
        for name, value in gradient.items():
            weights[name] = weights.get(name, 0.0) * (1 - SHRINK) + STEP * value / len(sets)
    return weights


def _softmax(choices: ChoiceSet, weights: Weights) -> list[float]:
    sums = [_weigh(features, weights) for features in choices.features]
    powers = [math.exp(value - max(sums)) for value in sums]
    return [power / sum(powers) for power in powers]


def _weigh(features: Features, weights: Weights) -> float:
    return sum(weights.get(name, 0.0) * value for name, value in features.items())


def _hit_share(choices: ChoiceSet, weights: Weights) -> float:
    """Whether the likeliest choice is right; among equally likely ones, the share of right ones."""
    sums = [_weigh(features, weights) for features in choices.features]
    best = [right for value, right in zip(sums, choices.right, strict=True) if value == max(sums)]
    return sum(best) / len(best)
