"""What a check of a file found, in a form that a page can show and a table can keep."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from portal.platform.errors import ConflictError

MOST_LISTED = 200  # rows of one list on a page and in what is kept of a check
Tell = Callable[[int, str], None]  # hears the step that begins, counted from 0, and its words
_LINE = re.compile(r"Line (\d+): (.*)", re.DOTALL)


class MovedError(ConflictError):
    """Facts that were recorded since the check would make the import do something else."""

    def __init__(self) -> None:
        super().__init__(
            "The portal has changed since this file was checked. Nothing was imported: look at the new check."
        )


class RowFault(NamedTuple):
    """Why a row is bad; line 0 is the file as a whole."""

    line: int
    reason: str

    @classmethod
    def from_reason(cls, said: str) -> "RowFault":
        """From a reason that begins with its line."""
        found = _LINE.fullmatch(said)
        if found is None:
            return cls(0, said)
        return cls(int(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class ResultSection:
    """One list of what an import would do; of a long one only the first rows are kept."""

    key: str
    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    total: int
    lead: str = ""

    @classmethod
    def from_rows(
        cls, key: str, title: str, heads: Iterable[str], rows: Iterable[tuple[str, ...]], lead: str = ""
    ) -> "ResultSection":
        """A list, cut to what is kept."""
        every = list(rows)
        return cls(key, title, tuple(heads), every[:MOST_LISTED], len(every), lead)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A file held against what the portal knows, without a lock."""

    faults: list[RowFault]
    sections: list[ResultSection]
    numbers: dict[str, int]  # by its words, what would be written
    same: dict[str, int]  # by its words, what the portal says already
    digest: str  # the same for the same outcome
    stage: Callable[[Tell], None] = field(repr=False)  # works out before the lock what ``write`` will need
    write: Callable[[datetime, int | None], None] = field(repr=False)  # under the lock, given the stamp

    @property
    def bad_rows(self) -> int:
        """How many lines are bad."""
        return len({fault.line for fault in self.faults})

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written."""
        return not any(self.numbers.values())

    def to_report(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "same": self.same,
            "faults": [list(fault) for fault in self.faults],
            "sections": [
                {
                    "key": section.key,
                    "title": section.title,
                    "heads": list(section.heads),
                    "rows": [list(row) for row in section.rows],
                    "total": section.total,
                    "lead": section.lead,
                }
                for section in self.sections
                if section.total
            ],
            "numbers": self.numbers,
        }


def ignore_progress(_step: int, _said: str) -> None:
    """Hears, and says nothing."""


def digest_of(*parts: object) -> str:
    """The same for parts that say the same."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(repr(part).encode())
        hashed.update(b"\0")
    return hashed.hexdigest()
