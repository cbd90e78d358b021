"""Strict reading of addresses: unknown values of a list or a file are refused with a sentence.

A filter that is left out because its value is unknown would give a full list, or an empty one, under the
name of what was asked for. So every list reads its address here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlencode, urlsplit

from flask import abort, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from portal.domain.catalogue.lesson_html import CheckAnswers
from portal.domain.catalogue.search import PLACE, mark_place
from portal.platform.errors import (
    MOST_QUOTED,
    BadInputError,
    UnknownValueError,
    listed_words,
    reason_of_refusal,
    shorten_text,
)

# A slice of a list and the links to its neighbours, kept in the address with the filters.

PAGE_SIZE = 25


def asked_number(arguments: Mapping[str, str]) -> int:
    """The page that an address asks for; 1 where it asks for none."""
    number = arguments.get("page", "").strip() or "1"
    if number.isascii() and number.isdigit() and len(number) < 10 and int(number):
        return int(number)
    shown = number if len(number) <= MOST_QUOTED else f"{number[:MOST_QUOTED]}…"
    raise BadInputError([f"“{shown}” is not a page number. Write a number from 1, such as 2."])


def address(path: str, arguments: Iterable[tuple[str, str]], number: int = 1) -> str:
    """The address of one page of a list: every filter kept, empty ones left out, page 1 unnamed."""
    kept = [(name, value) for name, value in arguments if name != "page" and value]
    if number > 1:
        kept.append(("page", str(number)))
    return f"{path}?{urlencode(kept)}" if kept else path


@dataclass(frozen=True)
class Page:
    """One page of a list of ``total`` rows; ``number`` always names a page that exists.

    Build it with ``Page.of``, which holds that rule.
    """

    number: int
    size: int
    total: int
    url: Callable[[int], str]

    @classmethod
    def of(
        cls,
        total: int,
        path: str,
        arguments: Iterable[tuple[str, str]],
        size: int = PAGE_SIZE,
    ) -> "Page":
        """The page that ``arguments`` ask for, or the last one.

        Raises:
            BadInputError: They ask for no number of a page.
        """
        kept = list(arguments)
        count = max(1, -(-total // size))
        number = min(asked_number(dict(kept)), count)
        return cls(number, size, total, lambda page: address(path, kept, page))

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        """Place of the first row shown, counted from 1; 0 in an empty list."""
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Place of the last row shown."""
        return min(self.offset + self.size, self.total)

    @property
    def previous_url(self) -> str | None:
        """Address of the page before, None on the first."""
        return self.url(self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        """Address of the page after, None on the last."""
        return self.url(self.number + 1) if self.last < self.total else None

    @property
    def next_size(self) -> int:
        """Rows on the page after."""
        return min(self.size, self.total - self.last)


# Characters that no text has: control characters but tab and line ends, and what Unicode and HTML keep for
# no character. PostgreSQL does not take the first of them, and no page can show the others.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
MOST_DIGITS = 4  # of the number of a passage
_NOT_AFTER_SIGN_IN = ("/sign-in", "/sign-out", "/set-password")


class QueryArguments:
    """The query arguments of an address; ``faults`` has a sentence and a field for each refused one.

    Args:
        arguments: Of the address.
        path: Of the list, for the links to its pages; a file needs none.
    """

    def __init__(self, arguments: Mapping[str, str], path: str = "") -> None:
        self._path = path
        self._arguments = arguments
        self.faults: list[tuple[str, str]] = []

    def text(self, name: str) -> str:
        """A text that may be anything; empty where the address has none."""
        return self._arguments.get(name, "").strip()

    def choice(self, name: str, values: Iterable[str], what: str = "") -> str:
        """One of some values, or nothing; an unknown one is refused and counts as nothing.

        Args:
            name: The field.
            values: All that the list knows.
            what: The field in words; by default its name.
        """
        value, known = self.text(name), list(values)
        if not value or value in known:
            return value
        self.refuse(name, reason_of_refusal(what or name, value, known))
        return ""

    def order(self, columns: Iterable[str]) -> str:
        """The column to sort by, with a "-" before it to turn it round, or nothing."""
        return self.choice("sort", [turned for one in columns for turned in (one, f"-{one}")], "sort order")

    def page_number(self) -> int:
        """The page that is asked for; 1 where it is refused."""
        try:
            return asked_number(self._arguments)
        except BadInputError as error:
            self.refuse("page", str(error))
            return 1

    def page(self, total: int, size: int = PAGE_SIZE) -> Page:
        """The page of a list of ``total`` rows that is asked for; its links keep what was not refused."""
        self.page_number()
        return Page.of(total, self._path, self.kept, size)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The arguments that are not refused, in their order."""
        refused = {name for _, name in self.faults}
        return [(name, value) for name, value in _argument_pairs(self._arguments) if name not in refused]

    def only(self, names: Collection[str], several: Collection[str] = ()) -> None:
        """Refuse all other names, and repeated names except those in ``several``.

        Args:
            names: What a file reads.
            several: Names that may be repeated.
        """
        seen: set[str] = set()
        for name, _ in _argument_pairs(self._arguments):
            if name not in names:
                hint = f"It knows {listed_words(sorted(names))}." if names else "It has none."
                self.refuse(name, f"“{shorten_text(name)}” is not a filter of this file. {hint}")
            elif name in seen and name not in several:
                self.refuse(name, f"The address says “{name}” twice. Say it once.")
            seen.add(name)

    def refuse(self, name: str, sentence: str) -> None:
        """Note why a field is refused."""
        if (sentence, name) not in self.faults:
            self.faults.append((sentence, name))

    def raise_faults(self) -> None:
        """Refuse the address of a file.

        Raises:
            UnknownValueError: Something in it is unknown.
        """
        if self.faults:
            raise UnknownValueError(self.faults)

    def errors(self, fields: Collection[str] = ()) -> list[tuple[str, str]]:
        """The sentences for the summary of a page, each with the link to its field.

        Args:
            fields: The fields on the page; the others have no link.
        """
        return [(text, f"#{name}" if name in fields else "") for text, name in self.faults]

    @property
    def status(self) -> int:
        """Status of the response: 400 if anything is refused."""
        return 400 if self.faults else 200


def _argument_pairs(arguments: Mapping[str, str]) -> list[tuple[str, str]]:
    if isinstance(arguments, MultiDict):
        return list(arguments.items(multi=True))
    return list(arguments.items())


def refuse_control_characters() -> None:
    """Refuse an address with a character that no text has, before anything else reads it.

    Answers 404 if it is in the path, where no page can be, and 400 if it is in the query.
    """
    if NO_TEXT.search(request.path):
        abort(404)
    if any(NO_TEXT.search(text) for pair in request.args.items(multi=True) for text in pair):
        abort(400)


def sent_check_answers() -> CheckAnswers:
    """The answers to the checks of a lesson, as the address has them; what is no number does not count."""
    chosen = {name: values for name, values in request.args.lists() if name.startswith("check-")}
    return CheckAnswers(chosen, frozenset(request.args.getlist("checked")))


def open_at_place(html: Markup) -> Markup:
    """The text of a page, marked and unfolded at the passage to which a search result leads, if to any."""
    number = request.args.get(PLACE, "")
    is_number = number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
    return Markup(mark_place(str(html), int(number))) if is_number else html  # noqa: S704 - adds a fixed mark


def safe_next(target: str | None) -> str:
    """Where a person goes after signing in: ``target`` if it is a page of this site, else the first page.

    >>> safe_next("/learning?page=2"), safe_next("//evil.example"), safe_next("/%5cevil.example")
    ('/learning?page=2', '/', '/')
    """
    if not target or not re.fullmatch(r"/[\x21-\x7e]*", target):
        return "/"
    path = urlsplit(target).path
    plain = unquote(unquote(path))  # twice: what a careless server in between might make of it
    local = (
        not target.startswith("//") and "\\" not in target and not re.match(r"//|.*[\\\x00-\x1f\x7f]", plain)
    )
    elsewhere = any(path == place or path.startswith(f"{place}/") for place in _NOT_AFTER_SIGN_IN)
    return target if local and not elsewhere else "/"
