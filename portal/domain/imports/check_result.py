"""The result of checking a file, for its page, for the database and for the CSV of bad rows."""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from portal.platform.errors import ConflictError
from portal.platform.tables.columns import disarm_formula
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import number, plural

MOST_LISTED = 200  # rows of one section that are shown and stored
Tell = Callable[[int, str], None]  # is told each step that begins: its number from 0, and a sentence
KEPT = "Kept for 90 days"  # the label of rows that are no facts
_LINE = re.compile(r"Line (\d+): (.*)", re.DOTALL)


def keep_nothing(_profile: str, _by: int | None, _at: datetime) -> None:
    """What an import keeps that has no rows of unknown people."""


class MovedError(ConflictError):
    """Because of facts recorded since the check, the import would now do something else."""

    def __init__(self) -> None:
        super().__init__(
            "The portal has changed since this file was checked. Nothing was imported. Look at the new check."
        )


class RowFault(NamedTuple):
    """Why a row is bad; line 0 means the file as a whole."""

    line: int
    reason: str

    @classmethod
    def from_reason(cls, reason: str) -> "RowFault":
        """Split a reason such as "Line 3: surname is empty." into line and reason."""
        match = _LINE.fullmatch(reason)
        return cls(0, reason) if match is None else cls(int(match[1]), match[2])


class NewValue(NamedTuple):
    """A rank or role of a file that nobody has and no directive names."""

    target: str  # our name of the column
    text: str
    rows: int  # that have it
    line: int  # the first of them
    alike: str  # a known one of which it is perhaps a mistyping; else empty

    @property
    def fault(self) -> RowFault:
        """Why a file with a mistyped value is refused where nobody can be asked."""
        return RowFault(
            self.line, f"{self.target} {self.text!r} is new, and looks like {self.alike!r} mistyped."
        )

    @property
    def notice(self) -> RowFault:
        """The value, said to whoever checks the file."""
        what = "role" if self.target == "designated_role" else "rank or grade"
        told = f"The {what} “{self.text}” is new: nobody has it, and no directive names it"
        perhaps = f" Perhaps “{self.alike}” is meant." if self.alike else ""
        return RowFault(self.line, f"{told} ({plural(self.rows, 'row')}).{perhaps}")


class EndedPosts(NamedTuple):
    """How many posts a roster would end early or withdraw, and how many there are that have not ended."""

    ended: int = 0
    current: int = 0


@dataclass(frozen=True, slots=True)
class ResultSection:
    """One list of changes that an import would make; of a long list only the first rows are stored."""

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
        """A section with the first ``MOST_LISTED`` rows, and the number of all."""
        all_rows = list(rows)
        return cls(key, title, tuple(heads), all_rows[:MOST_LISTED], len(all_rows), lead)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A file compared with the portal's data, without a lock: what it would change, and its bad rows."""

    faults: list[RowFault]
    sections: list[ResultSection]
    numbers: dict[str, int]  # how much would be written, by label
    same: dict[str, int]  # how much is in the portal already, by label
    digest: str  # equal for equal changes
    stage: Callable[[Tell], None] = field(repr=False)  # prepares, before the lock, what ``write`` needs
    commit: Callable[[Callable[[], None], Tell], None] = field(repr=False)  # calls the given, and commits it
    write: Callable[[datetime, int | None], None] = field(repr=False)  # called by that, with the stamp
    posts: EndedPosts = field(default_factory=EndedPosts)
    keep: Callable[[str, int | None, datetime], None] = field(default=keep_nothing, repr=False)
    notices: Sequence[RowFault] = ()  # what to look at, though no row is bad; line 0: the file as a whole
    unasked: Sequence[NewValue] = ()  # to be confirmed where nobody was asked: the portal's own format

    @property
    def bad_rows(self) -> int:
        """The number of bad lines."""
        return len({fault.line for fault in self.faults})

    @property
    def mistyped(self) -> list[RowFault]:
        """Values that look mistyped, about which nobody was asked."""
        return [value.fault for value in self.unasked if value.alike]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written."""
        return not any(self.numbers.values())

    @property
    def writes_facts(self) -> bool:
        """Whether facts would be written, which have a stamp; kept rows are none."""
        return any(count for label, count in self.numbers.items() if label != KEPT)

    def to_report(self) -> dict[str, Any]:
        """The result as JSON, stored for the import's page."""
        return {
            "same": self.same,
            "faults": [list(fault) for fault in self.faults],
            "notices": [list(notice) for notice in self.notices],
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


def left_out_section(counts: Counter[str]) -> ResultSection:
    """How many rows of a file are left out, by the value that says so."""
    rows = ((text, number(count)) for text, count in counts.most_common())
    lead = "These rows change nothing, because of the value that they have."
    return ResultSection.from_rows("left-out", "Left out", ("Value", "Rows"), rows, lead)


def ignore_progress(_step: int, _sentence: str) -> None:
    """A ``Tell`` that does nothing."""


def digest_of(*parts: object) -> str:
    """SHA-256 of the parts' representations: equal for equal parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def bad_rows_csv(sheet: Sheet, faults: Sequence[Sequence[int | str]]) -> Iterator[str]:
    """A CSV of the bad rows, line by line: line number and reasons, then the file's own columns."""
    reasons: dict[int, list[str]] = {}
    for line, reason in faults:
        reasons.setdefault(int(line), []).append(str(reason))
    yield "\ufeff" + _csv_line(["line", "reason", *sheet.columns])
    for line, cells in sheet.lines:
        if line in reasons:
            yield _csv_line([str(line), " ".join(reasons[line]), *cells])


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(map(disarm_formula, cells))
    return out.getvalue()
