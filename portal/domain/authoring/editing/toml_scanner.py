"""Where everything stands in a TOML text: headers, keys and values as spans of its characters.

The text is valid TOML (``tomllib`` reads it first), so nothing is refused here. Ends of lines are given
without their line feed.
"""

import re
import tomllib
from dataclasses import dataclass, field

Names = tuple[str, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")  # between the elements of an array
_STRINGS = {
    '"""': re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    "'''": re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    '"': re.compile(r'"(?:[^"\\]|\\.)*"'),
    "'": re.compile(r"'[^']*'"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value; of an array its elements, of an inline table its members."""

    start: int
    end: int
    elements: list["Value"] = field(default_factory=list)
    members: list["Member"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Member:
    """A key and its value in an inline table."""

    names: Names
    start: int
    value: Value


@dataclass(frozen=True, slots=True)
class Statement:
    """A key and its value on a line, or on several, of their own."""

    names: Names
    start: int  # of the line
    end: int  # of the last line, with any comment
    value: Value


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one header; the first one has none."""

    names: Names
    array: bool  # [[names]]
    start: int  # of the header's line
    end: int  # of the header's line
    statements: list[Statement] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The end of its last statement, or of its header."""
        return self.statements[-1].end if self.statements else self.end


def scan(text: str) -> list[Section]:
    """Every section of the text in order; the one above all headers comes first."""
    return _Scanner(text).sections()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def sections(self) -> list[Section]:
        """The whole text."""
        found = [Section((), False, 0, 0)]
        while self.at < len(self.text):
            start = self.at
            self.spaces()
            if self.peek() == "[":
                found.append(self.header(start))
            elif self.peek() not in ("", "\n", "\r", "#"):
                found[-1].statements.append(self.statement(start))
            self.at = self.line_end() + 1
        return found

    def header(self, start: int) -> Section:
        """From the bracket to the end of its line."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        names = self.names()
        return Section(names, array, start, self.line_end())

    def statement(self, start: int) -> Statement:
        """A key, the sign and a value."""
        names, value = self.pair()
        return Statement(names, start, self.line_end(), value)

    def pair(self) -> tuple[Names, Value]:
        """A key and a value, in a line or in an inline table."""
        names = self.names()
        self.at += 1  # =
        self.spaces()
        return names, self.value()

    def names(self) -> Names:
        """The parts of a dotted key; ends at the sign behind it."""
        found = []
        while True:
            self.spaces()
            found.append(self.name())
            self.spaces()
            if self.peek() != ".":
                return tuple(found)
            self.at += 1

    def name(self) -> str:
        """One part of a key."""
        if self.peek() in ('"', "'"):
            start = self.at
            self.string()
            return str(tomllib.loads(f"name = {self.text[start : self.at]}")["name"])
        found = _BARE_KEY.match(self.text, self.at)
        if found is None:
            raise ValueError("a key was expected")
        self.at = found.end()
        return found[0]

    def value(self) -> Value:
        """A value of any kind."""
        start, sign = self.at, self.peek()
        if sign in ('"', "'"):
            self.string()
        elif sign == "[":
            return self.array()
        elif sign == "{":
            return self.inline_table()
        elif found := _BARE_VALUE.match(self.text, self.at):
            self.at += len(found[0].rstrip())
        return Value(start, self.at)

    def array(self) -> Value:
        """From bracket to bracket."""
        start = self.at
        elements: list[Value] = []
        self.at += 1
        while True:
            self.blank()
            if self.peek() == "]":
                self.at += 1
                return Value(start, self.at, elements=elements)
            elements.append(self.value())
            self.comma()

    def inline_table(self) -> Value:
        """From brace to brace."""
        start = self.at
        members: list[Member] = []
        self.at += 1
        while True:
            self.blank()
            if self.peek() == "}":
                self.at += 1
                return Value(start, self.at, members=members)
            begin = self.at
            names, value = self.pair()
            members.append(Member(names, begin, value))
            self.comma()

    def comma(self) -> None:
        """Over what may stand behind an element, and its comma."""
        self.blank()
        if self.peek() == ",":
            self.at += 1

    def string(self) -> None:
        """Over a string of any of the four kinds."""
        for quotes, pattern in _STRINGS.items():
            if self.text.startswith(quotes, self.at):
                found = pattern.match(self.text, self.at)
                if found is None:
                    raise ValueError("a string does not end")
                self.at = found.end()
                return

    def spaces(self) -> None:
        """Over spaces and tabs."""
        while self.peek() in (" ", "\t"):
            self.at += 1

    def blank(self) -> None:
        """Over spaces, line ends and comments."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def peek(self) -> str:
        """The next character; none at the end."""
        return self.text[self.at : self.at + 1]

    def line_end(self) -> int:
        """The end of this line."""
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end
