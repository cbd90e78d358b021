"""Words of a text as the search compares them: folded letters, stems, and sections of acts. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

from portal.platform.spelling import fold_letters

# Too frequent to tell one text from another; searched for only where nothing else was typed.
COMMON_WORDS = frozenset(
    "a about am an and any are as at be been but by can could did do does for from get had has have he her"
    " him his how i if im in into is it its may me must my need of on or our out she should so some than"
    " that the their them then there they this to too us was we were what when where which who whom whose"
    " why will with would you your".split()
)
_TOKEN = re.compile(
    r"(?:\b(?:s|ss|sec|sect|sections?)\.?|§)\s?(?P<number>\d+[a-z]{0,2})\b" r"|\w+(?:['’]\w+)*",
    re.IGNORECASE,
)
_STEMMER = snowballstemmer.stemmer("english")


class Token(NamedTuple):
    """A word in a text, as it is compared, with its place there."""

    word: str
    start: int
    end: int


def read_tokens(text: str) -> Iterator[Token]:
    """The words of a text in order; a section of an act is one word more than it seems.

    >>> [token.word for token in read_tokens("O’Neill’s café, s. 25A or S45")]
    ['oneill', 'cafe', 'section25a', 'section', '25a', 'or', 'section45', 'section', '45']
    """
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        number = match["number"]
        words = (f"section{number}", "section", number) if number else (match[0],)
        for word in words:
            if folded := _fold_word(word):
                yield Token(folded, start, end)


@lru_cache(maxsize=32_768)
def _fold_word(word: str) -> str:
    """The word without its possessive."""
    return fold_letters(re.sub(r"['’]s$", "", word))


def read_query(text: str) -> list[str]:
    """The different words that were typed, without common ones if there are others.

    >>> read_query("How do I refer the victims, the victims under s.2?")
    ['refer', 'victims', 'under', 'section2']
    """
    words: dict[str, None] = {}
    last_start = -1
    for token in read_tokens(text):
        if token.start != last_start:  # of the words of a section the first alone
            words[token.word] = None
        last_start = token.start
    return [word for word in words if word not in COMMON_WORDS] or list(words)


@lru_cache(maxsize=32_768)
def stem_of(word: str) -> str:
    """The stem of a folded English word.

    >>> {stem_of(word) for word in ("refer", "refers", "refering", "referring")}
    {'refer'}
    """
    return str(_STEMMER.stemWord(word))
