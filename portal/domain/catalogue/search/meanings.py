"""Finds the words of the texts that typed words mean, misspelt ones too. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.domain.catalogue.search.text_index import Vocabulary
from portal.domain.catalogue.search.words import COMMON_WORDS, stem_of
from portal.platform.spelling import near_words

EXACT, SAME_STEM, BEGINNING = 1.0, 0.8, 0.4  # how much a word counts for a typed one
_MOST_BEGINNINGS = 60


@dataclass(frozen=True, slots=True)
class Meaning:
    """The words of the texts that one typed word stands for, with how much each counts."""

    typed: str
    word: str  # the typed word, or what it was corrected to
    weights: Mapping[str, float]  # empty: no text has a word like it

    @property
    def is_corrected(self) -> bool:
        """Whether another word is searched for."""
        return self.word != self.typed


def find_meaning(typed: str, vocabulary: Vocabulary, *, corrects: bool = True) -> Meaning:
    """The words with the typed word's stem, or beginning with it; if there are none, those of the nearest.

    Args:
        typed: A folded word.
        vocabulary: The words of the texts.
        corrects: Whether a misspelt word is corrected.
    """
    weights = _weights_of(typed, vocabulary)
    if weights or not corrects:
        return Meaning(typed, typed, weights)
    nearest = correct_word(typed, vocabulary)
    return Meaning(typed, nearest or typed, _weights_of(nearest, vocabulary) if nearest else {})


def _weights_of(word: str, vocabulary: Vocabulary) -> dict[str, float]:
    weights: dict[str, float] = {}
    if len(word) > 1 and not word[-1].isdigit():  # section 2 is no beginning of section 24
        beginnings = vocabulary.words_beginning_with(word)[:_MOST_BEGINNINGS]
        weights.update(dict.fromkeys(beginnings, BEGINNING))
    weights.update(dict.fromkeys(vocabulary.by_stem.get(stem_of(word), ()), SAME_STEM))
    if word in vocabulary.counts:
        weights[word] = EXACT
    return weights


def correct_word(typed: str, vocabulary: Vocabulary) -> str:
    """The word with the fewest faults between it and the typed one; empty if there is none near it.

    Of equally near words the one with the same first letter comes first, then the most frequent.
    """
    near = near_words(typed, (word for word in vocabulary.words if word not in COMMON_WORDS))
    ranked = [(faults, differs, -vocabulary.counts[word], word) for faults, differs, word in near]
    return min(ranked)[-1] if ranked else ""
