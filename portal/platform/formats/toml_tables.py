"""Reading TOML strictly: each key by its kind, unknown keys refused by name, faults with their line."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.platform.errors import BadInputError

# What is wrong with a package: every fault, with its file, its line and what to write instead.


@dataclass(frozen=True)
class Fault:
    """One thing that stops a package from being published."""

    path: str  # as the author knows it, from the folder that was given
    line: int | None  # counts from 1; None where the fault is of the whole file
    reason: str  # a sentence that says what to write instead

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{place}: {self.reason}"


class Faults:
    """Collects faults, so that an author sees all of them at once."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: str, line: int | None, reason: str) -> None:
        """Note one fault; the same one twice is one."""
        fault = Fault(path, line, reason)
        if fault not in self._found:
            self._found.append(fault)

    def __len__(self) -> int:
        return len(self._found)

    def listed(self) -> list[Fault]:
        """Every fault, by file and line."""
        return sorted(self._found, key=lambda fault: (fault.path, fault.line or 0, fault.reason))

    def sentences(self) -> list[str]:
        """Every fault as a line for a page or a terminal."""
        return [str(fault) for fault in self.listed()]

    def refuse(self) -> None:
        """Refuse what has faults."""
        if self._found:
            raise BadInputError(self.sentences())


Trail = tuple[tuple[str, int], ...]

KEY = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*")  # as an author gives it to what a file describes
LONGEST_KEY = 80
NOTE = "note"  # a remark for authors, which no learner is shown
_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*\"?([A-Za-z0-9_\-]+)\"?\s*=")


def line_numbers(text: str) -> dict[tuple[Trail, str], int]:
    """Where each key and each table's header stands; the header under the key ``""``."""
    lines: dict[tuple[Trail, str], int] = {((), ""): 1}
    trail: Trail = ()
    for number, row in enumerate(text.split("\n"), 1):
        header = _HEADER.match(row)
        if header:
            trail = _next_trail(header[1].split("."), lines)
            lines[trail, ""] = number
        elif key := _KEY.match(row):
            lines.setdefault((trail, key[1]), number)
    return lines


def _next_trail(names: list[str], lines: dict[tuple[Trail, str], int]) -> Trail:
    trail: Trail = ()
    for depth, name in enumerate(names):
        count = 0
        while ((*trail, (name, count)), "") in lines:
            count += 1
        last = depth == len(names) - 1
        trail = (*trail, (name, count if last else max(count - 1, 0)))
    return trail


class Table:
    """One TOML table being read; ``close`` refuses the keys that nobody asked for."""

    def __init__(self, data: dict[str, Any], source: "Source", trail: Trail = ()) -> None:
        self._data, self._source, self._trail = data, source, trail
        self._read: set[str] = set()

    @property
    def line(self) -> int:
        """The line of the table's header."""
        return self._source.line(self._trail, "")

    def line_of(self, key: str) -> int:
        """The line of a key, or of the table where the key is missing."""
        return self._source.line(self._trail, key)

    def fault(self, key: str, reason: str) -> None:
        """Note a fault at the key's line."""
        self._source.fault(self.line_of(key), reason)

    def has(self, key: str) -> bool:
        """Whether the table says anything under this key."""
        return key in self._data

    def text(self, key: str, *, required: bool = True) -> str:
        """A text that is not blank; empty, with the fault noted, where there is none."""
        value = self._take_value(key, required)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.fault(key, f"“{key}” needs a text between quotation marks.")
            return ""
        return value

    def line_of_text(self, key: str, longest: int) -> str:
        """A text as one line, of at most ``longest`` characters."""
        text = " ".join(self.text(key).split())
        if len(text) > longest:
            self.fault(key, f"“{key}” has {len(text):,} characters. Use {longest:,} or fewer.")
        return text

    def number(self, key: str, *, least: int, most: int | None = None, default: int | None = None) -> int:
        """A whole number of at least ``least``, and at most ``most`` where that is given."""
        value = self._take_value(key, default is None)
        if value is None:
            return default if default is not None else least
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 100_000:
            self.fault(key, f"“{key}” needs a whole number, {least} or more.")
            return least
        if most is not None and value > most:
            self.fault(key, f"“{key}” is {value}. Use {most} or fewer.")
        return value

    def scaled(self, key: str, *, zero: bool = False) -> Decimal:
        """A number above 0, or with ``zero`` from 0, and at most 1, with at most four places."""
        value = self._take_value(key, True)
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        good = isinstance(value, Decimal) and value.is_finite() and (value > 0 or (zero and value == 0))
        if not good or value > 1 or value != round(value, 4):
            if value is not None:
                least = "from 0 to 1" if zero else "above 0 and at most 1"
                self.fault(key, f"“{key}” needs a number {least}, with up to four places.")
            return Decimal(1)
        return Decimal(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """``true`` or ``false``."""
        value = self._take_value(key, False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"“{key}” needs true or false.")
            return default
        return value

    def day(self, key: str) -> date:
        """A calendar date."""
        value = self._take_value(key, True)
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self.fault(key, f"“{key}” needs a date without quotation marks, such as 2027-05-31.")
            value = None
        return value or date.min

    def texts(self, key: str, *, required: bool = True) -> list[str]:
        """A list of texts, none of them blank or twice."""
        value = self._take_value(key, required)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            self.fault(key, f'“{key}” needs a list of texts, such as ["one", "two"].')
            return []
        if len(set(value)) < len(value):
            self.fault(key, f"“{key}” names something twice. Name each once.")
        return list(dict.fromkeys(value))

    def whole_numbers(self, key: str, count: int) -> tuple[int, ...]:
        """A list of ``count`` whole numbers from 0; empty, with the fault noted, where there is none."""
        value = self._take_value(key, True)
        if value is None:
            return ()
        numbers = value if isinstance(value, list) else []
        good = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= 100_000 for n in numbers)
        if len(numbers) != count or not good:
            self.fault(key, f"“{key}” needs {count} whole numbers, such as {list(range(10, 10 + count))}.")
            return ()
        return tuple(numbers)

    def numbers(self, key: str) -> list[int]:
        """A list of whole numbers from 1, none of them twice; empty where the table does not say it."""
        value = self._take_value(key, False)
        if value is None:
            return []
        numbers = value if isinstance(value, list) else [None]
        good = all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 100_000 for n in numbers)
        if not good or len(set(numbers)) < len(numbers):
            self.fault(key, f"“{key}” needs a list of whole numbers from 1, each once, such as [1, 2].")
            return []
        return list(numbers)

    def text_or_texts(self, key: str) -> list[str]:
        """A text, or a list of texts."""
        if isinstance(self._data.get(key), str):
            return [text] if (text := self.text(key)) else []
        return self.texts(key)

    def table(self, key: str) -> "Table | None":
        """The table ``[key]``."""
        value = self._take_value(key, True, shown=f"[{key}]")
        if value is not None and not isinstance(value, dict):
            self.fault(key, f"“{key}” needs a table headed [{key}].")
            return None
        return value if value is None else self._open_subtable(value, key, 0)

    def tables(self, key: str, shown: str = "") -> "list[Table]":
        """The tables ``[[key]]``, in order."""
        shown = shown or f"[[{key}]]"
        value = self._take_value(key, True, shown=shown)
        if value is None:
            return []
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            self.fault(key, f"“{key}” needs tables headed {shown}.")
            return []
        return [self._open_subtable(v, key, index) for index, v in enumerate(value)]

    def close(self) -> None:
        """Refuse every key that was not read, by name; every table may have a ``note`` for its authors."""
        self.text(NOTE, required=False)
        for key in self._data:
            if key not in self._read:
                known = ", ".join(sorted(self._read))
                self.fault(key, f"“{key}” is not a known key here. Known keys: {known}.")

    def _open_subtable(self, data: dict[str, Any], key: str, index: int) -> "Table":
        return Table(data, self._source, (*self._trail, (key, index)))

    def _take_value(self, key: str, required: bool, shown: str = "") -> Any:
        self._read.add(key)
        if key not in self._data and required:
            self.fault("", f"“{shown or key}” is missing.")
        return self._data.get(key)


def read_key(table: Table) -> str:
    """The table's ``key``; a fault is noted where an address or a form could not carry it."""
    key = table.text("key")
    if key and not (KEY.fullmatch(key) and len(key) <= LONGEST_KEY):
        table.fault("key", f"“{key}” is not a key. Use letters, digits and single hyphens.")
    return key


class Source:
    """The TOML text of one file, or of a part of one that begins at ``first_line``."""

    def __init__(self, text: str, path: str, faults: Faults, *, first_line: int = 1) -> None:
        self._path, self._faults, self._offset = path, faults, first_line - 1
        self._lines = line_numbers(text)
        self._text = text

    def line(self, trail: Trail, key: str) -> int:
        """The line of a key in its file, else of its table, else of the text's first line."""
        line = self._lines.get((trail, key)) or self._lines.get(((*trail, (key, 0)), ""))
        return (line or self._lines.get((trail, "")) or 1) + self._offset

    def fault(self, line: int, reason: str) -> None:
        """Note a fault of this file."""
        self._faults.add(self._path, line, reason)

    def root(self) -> Table | None:
        """The outermost table; None, with the fault noted, where the text is not TOML."""
        try:
            return Table(tomllib.loads(self._text, parse_float=Decimal), self)
        except (ValueError, ArithmeticError, RecursionError) as error:
            reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "a number is too long"
            at = re.search(r"\(at line (\d+), column \d+\)", reason)
            line = int(at[1]) if at else self._text.count("\n") + 1
            self.fault(line + self._offset, f"This is not TOML: {reason.split(' (at ')[0]}.")
            return None
