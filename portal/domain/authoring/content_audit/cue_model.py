"""A model that learns cues: trained on the choices of some modules, tested on those of another. Pure.

A conditional logistic regression (McFadden's choice model): of the choices of one item, the probability of
each is the softmax of its features' weighted sum. It sees the surface alone: lengths, counts of kinds of
words, and frequent words. If it does better than chance on a module that it never saw, right choices are
recognised by how they are written.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.authoring.content_audit.bank import AuditItem, words_of
from portal.domain.authoring.content_audit.strategies import STRATEGIES

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
