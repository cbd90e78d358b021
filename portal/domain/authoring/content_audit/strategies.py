"""Ten ways to answer from the surface of the words, and how each plays an item. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.authoring.content_audit.bank import AuditItem, content_words, words_of
from portal.domain.item_kinds.match_answers import format_pairs
from portal.domain.item_kinds.scenario.marking import scenes_by_key

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
