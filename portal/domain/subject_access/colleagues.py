"""Takes the names of other people out of texts that are given to one person."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from portal.domain.people.models import PersonName
from portal.platform.db import db

TAKEN_OUT = "[name]"
_WORD = re.compile(r"[^\W_](?:[\w'’.@+-]*\w)?")


@dataclass
class NameRemover:
    """Replaces names, staff numbers and addresses of everyone else in the portal; counts how often."""

    patterns: list[re.Pattern[str]] = field(default_factory=list)
    count: int = 0

    def clean(self, text: str) -> str:
        """The text without the names of others."""
        for pattern in self.patterns:
            text, times = pattern.subn(TAKEN_OUT, text)
            self.count += times
        return text


def build_remover(person_id: int, texts: Iterable[str]) -> NameRemover:
    """A remover of the names that occur in these texts. One statement, if there is any text.

    A surname alone goes too, written with its capital letter, unless it is the person's own.
    """
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    if not words:
        return NameRemover()
    own_surname, others = "", []
    columns = (PersonName.person_id, PersonName.forenames, PersonName.surname, PersonName.staff_number)
    for holder, forenames, surname, number, email in db.session.execute(select(*columns, PersonName.email)):
        if holder == person_id:
            own_surname = surname
        elif _occurs(words, surname, number, email or ""):
            others.append((forenames, surname, number, email or ""))
    patterns = [pattern for name in others for pattern in _patterns_of(own_surname, *name)]
    return NameRemover(sorted(patterns, key=lambda pattern: -len(pattern.pattern)))  # whole names first


def _occurs(words: set[str], surname: str, staff_number: str, email: str) -> bool:
    first = _WORD.search(surname)
    surname_word = first[0].casefold() if first else ""
    return surname_word in words or staff_number.casefold() in words or email.casefold() in words


def _patterns_of(
    own_surname: str, forenames: str, surname: str, staff_number: str, email: str
) -> Iterable[re.Pattern[str]]:
    first = forenames.split()[0] if forenames.split() else ""
    for whole in {f"{forenames} {surname}", f"{first} {surname}", f"{surname}, {forenames}"}:
        yield re.compile(rf"\b{re.escape(whole)}\b", re.IGNORECASE)
    for exact in filter(None, (staff_number, email)):
        yield re.compile(rf"(?<!\w){re.escape(exact)}(?!\w)", re.IGNORECASE)
    if surname.casefold() != own_surname.casefold():
        yield re.compile(rf"\b{re.escape(surname)}\b")
