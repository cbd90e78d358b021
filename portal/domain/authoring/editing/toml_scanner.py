"""Where everything stands in a TOML text: headers, keys and values as spans of its characters.

The text is valid TOML (``tomllib`` reads it first), so nothing is refused here. Ends of lines are given
without their line feed.
"""

import re
import tomllib
from dataclasses import dataclass, field

KeyPath = tuple[str, ...]

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
class TomlValue:
    """A value; of an array its elements, of an inline table its members."""

    start: int
    end: int
    elements: list["TomlValue"] = field(default_factory=list)
    members: list["TomlMember"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TomlMember:
    """A key and its value in an inline table."""

    key_path: KeyPath
    start: int
    value: TomlValue


@dataclass(frozen=True, slots=True)
class TomlStatement:
    """A key and its value on a line, or on several, of their own."""

    key_path: KeyPath
    start: int  # of the line
    end: int  # of the last line, with any comment
    value: TomlValue


@dataclass(frozen=True, slots=True)
class TomlSection:
    """What stands below one header; the first one has none."""

    key_path: KeyPath
    is_array: bool  # [[names]]
    start: int  # of the header's line
    header_end: int  # of the header's line
    statements: list[TomlStatement] = field(default_factory=list)

    @property
    def content_end(self) -> int:
        """The end of its last statement, or of its header."""
        return self.statements[-1].end if self.statements else self.header_end


def scan_toml(text: str) -> list[TomlSection]:
    """Every section of the text in order; the one above all headers comes first."""
    return _Scanner(text).read_sections()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def read_sections(self) -> list[TomlSection]:
        """The whole text."""
        found = [TomlSection((), False, 0, 0)]
        while self.at < len(self.text):
            start = self.at
            self.skip_spaces()
            if self.next_character() == "[":
                found.append(self.read_header(start))
            elif self.next_character() not in ("", "\n", "\r", "#"):
                found[-1].statements.append(self.read_statement(start))
            self.at = self.line_end() + 1
        return found

    def read_header(self, start: int) -> TomlSection:
        """From the bracket to the end of its line."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        names = self.read_key_path()
        return TomlSection(names, array, start, self.line_end())

    def read_statement(self, start: int) -> TomlStatement:
        """A key, the sign and a value."""
        names, value = self.read_pair()
        return TomlStatement(names, start, self.line_end(), value)

    def read_pair(self) -> tuple[KeyPath, TomlValue]:
        """A key and a value, in a line or in an inline table."""
        names = self.read_key_path()
        self.at += 1  # =
        self.skip_spaces()
        return names, self.read_value()

    def read_key_path(self) -> KeyPath:
        """The parts of a dotted key; ends at the sign behind it."""
        found = []
        while True:
            self.skip_spaces()
            found.append(self.read_key())
            self.skip_spaces()
            if self.next_character() != ".":
                return tuple(found)
            self.at += 1

    def read_key(self) -> str:
        """One part of a key."""
        if self.next_character() in ('"', "'"):
            start = self.at
            self.skip_string()
            return str(tomllib.loads(f"name = {self.text[start : self.at]}")["name"])
        found = _BARE_KEY.match(self.text, self.at)
        if found is None:
            raise ValueError("a key was expected")
        self.at = found.end()
        return found[0]

    def read_value(self) -> TomlValue:
        """A value of any kind."""
        start, sign = self.at, self.next_character()
        if sign in ('"', "'"):
            self.skip_string()
        elif sign == "[":
            return self.read_array()
        elif sign == "{":
            return self.read_inline_table()
        elif found := _BARE_VALUE.match(self.text, self.at):
            self.at += len(found[0].rstrip())
        return TomlValue(start, self.at)

    def read_array(self) -> TomlValue:
        """From bracket to bracket."""
        start = self.at
        elements: list[TomlValue] = []
        self.at += 1
        while True:
            self.skip_blank()
            if self.next_character() == "]":
                self.at += 1
                return TomlValue(start, self.at, elements=elements)
            elements.append(self.read_value())
            self.skip_comma()

    def read_inline_table(self) -> TomlValue:
        """From brace to brace."""
        start = self.at
        members: list[TomlMember] = []
        self.at += 1
        while True:
            self.skip_blank()
            if self.next_character() == "}":
                self.at += 1
                return TomlValue(start, self.at, members=members)
            begin = self.at
            names, value = self.read_pair()
            members.append(TomlMember(names, begin, value))
            self.skip_comma()

    def skip_comma(self) -> None:
        """Over what may stand behind an element, and its comma."""
        self.skip_blank()
        if self.next_character() == ",":
            self.at += 1

    def skip_string(self) -> None:
        """Over a string of any of the four kinds."""
        for quotes, pattern in _STRINGS.items():
            if self.text.startswith(quotes, self.at):
                found = pattern.match(self.text, self.at)
                if found is None:
                    raise ValueError("a string does not end")
                self.at = found.end()
                return

    def skip_spaces(self) -> None:
        """Over spaces and tabs."""
        while self.next_character() in (" ", "\t"):
            self.at += 1

    def skip_blank(self) -> None:
        """Over spaces, line ends and comments."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def next_character(self) -> str:
        """The next character; none at the end."""
        return self.text[self.at : self.at + 1]

    def line_end(self) -> int:
        """The end of this line."""
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end
