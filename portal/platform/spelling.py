"""Letters and words as a search compares them: without accents, and with faults forgiven. Pure."""

import unicodedata
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

_LETTERS_A_FAULT = 4  # a word of so many letters may have one fault, of twice as many two
_MOST_FAULTS = 2
_WRITTEN_OUT = {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"}
_FOLDED = str.maketrans({**_WRITTEN_OUT, **dict.fromkeys("'’‘ʼ`´", "")})


def fold_letters(text: str) -> str:
    """The text in small letters without accents and apostrophes.

    >>> fold_letters("Zoë O’Neill, Łódź, STRASSE or Straße")
    'zoe oneill, lodz, strasse or strasse'
    """
    if text.isascii():
        return text.lower().translate(_FOLDED)
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDED))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def near_words(typed: str, words: Iterable[str]) -> list[tuple[int, bool, str]]:
    """The words near a typed one: how many faults, whether the first letter differs, and the word.

    A fault is a letter too many, too few, wrong, or changed with its neighbour. Nothing is near a word of
    fewer than four letters, or one with a digit.

    >>> near_words("victm", ["victim", "victims", "victor", "item"])
    [(1, False, 'victim')]
    """
    most = min(len(typed) // _LETTERS_A_FAULT, _MOST_FAULTS)
    if not most or not typed.isalpha():
        return []
    near = process.extract(typed, list(words), scorer=OSA.distance, score_cutoff=most, limit=None)
    return [
        (int(faults), word[0] != typed[0], word)
        for word, faults, _ in near
        if word.isalpha() and len(word) > most + 1
    ]
