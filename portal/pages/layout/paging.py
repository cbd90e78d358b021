"""A slice of a list and the links to its neighbours, kept in the address with the filters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from portal.platform.errors import MOST_QUOTED, BadInputError

PAGE_SIZE = 25


def asked_number(arguments: Mapping[str, str]) -> int:
    """The page that an address asks for; 1 where it asks for none.

    Raises:
        BadInputError: What it asks for is no number of a page.
    """
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
