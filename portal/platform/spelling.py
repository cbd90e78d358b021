"""Letters and words as a search compares them: without accents, and with faults forgiven. Pure."""

import re
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


def find_mistyped(text: str, known: Iterable[str]) -> str:
    """The known text that this one is perhaps a mistyping, or the beginning, of; empty for none.

    Faults count as for ``near_words``, capitals and underscores not at all. Other digits mean another thing.

    >>> known = ["Constable", "Chief Constable", "Grade 5"]
    >>> [find_mistyped(text, known) for text in ("constabel", "Chief Cons", "Grade 6", "Chief Constables 2")]
    ['Constable', 'Chief Constable', '', '']
    """
    folded = {_fold_words(each): each for each in sorted(known)}
    typed = _fold_words(text)
    if typed in folded:
        return folded[typed]
    begun = [each for each in folded if len(typed) >= _LETTERS_A_FAULT and each.startswith(typed)]
    if len(begun) == 1:
        return folded[begun[0]]
    most = min(len(typed) // _LETTERS_A_FAULT, _MOST_FAULTS)
    alike = [each for each in folded if re.findall(r"\d+", each) == re.findall(r"\d+", typed)]
    found = process.extractOne(typed, alike, scorer=OSA.distance, score_cutoff=most) if most else None
    return folded[found[0]] if found else ""


def _fold_words(text: str) -> str:
    return " ".join(fold_letters(text).replace("_", " ").replace(".", " ").split())
