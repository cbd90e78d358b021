"""Scans a TOML text for headers, keys and values, and records each as a span of characters.

The text must be valid TOML (callers parse it with ``tomllib`` first); nothing is validated here. The end of a
line excludes its LF.
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
    """The span of a value, with the elements of an array or the members of an inline table."""

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
    """A key and its value on lines of their own."""

    key_path: KeyPath
    start: int  # of the line
    end: int  # of the last line, with any comment
    value: TomlValue


@dataclass(frozen=True, slots=True)
class TomlSection:
    """A header with the statements below it; the first section of a text has no header."""

    key_path: KeyPath
    is_array: bool  # written [[key]]
    start: int  # of the header's line
    header_end: int  # of the header's line
    statements: list[TomlStatement] = field(default_factory=list)

    @property
    def content_end(self) -> int:
        """End of its last statement, or of its header where it has none."""
        return self.statements[-1].end if self.statements else self.header_end


def scan_toml(text: str) -> list[TomlSection]:
    """Every section of the text in order, beginning with the one above all headers."""
    return _Scanner(text).read_sections()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def read_sections(self) -> list[TomlSection]:
        """Scan the whole text."""
        sections = [TomlSection((), False, 0, 0)]
        while self.at < len(self.text):
            start = self.at
            self.skip_spaces()
            if self.next_character() == "[":
                sections.append(self.read_header(start))
            elif self.next_character() not in ("", "\n", "\r", "#"):
                sections[-1].statements.append(self.read_statement(start))
            self.at = self.line_end() + 1
        return sections

    def read_header(self, start: int) -> TomlSection:
        """Read a header, up to the end of its line."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        names = self.read_key_path()
        return TomlSection(names, array, start, self.line_end())

    def read_statement(self, start: int) -> TomlStatement:
        """Read a key, the equals sign and a value."""
        names, value = self.read_pair()
        return TomlStatement(names, start, self.line_end(), value)

    def read_pair(self) -> tuple[KeyPath, TomlValue]:
        """Read a key and a value, on a line or in an inline table."""
        names = self.read_key_path()
        self.at += 1  # =
        self.skip_spaces()
        return names, self.read_value()

    def read_key_path(self) -> KeyPath:
        """Read the parts of a dotted key, up to the character after it."""
        parts = []
        while True:
            self.skip_spaces()
            parts.append(self.read_key())
            self.skip_spaces()
            if self.next_character() != ".":
                return tuple(parts)
            self.at += 1

    def read_key(self) -> str:
        """Read one part of a key."""
        if self.next_character() in ('"', "'"):
            start = self.at
            self.skip_string()
            return str(tomllib.loads(f"name = {self.text[start : self.at]}")["name"])
        match = _BARE_KEY.match(self.text, self.at)
        if match is None:
            raise ValueError("a key was expected")
        self.at = match.end()
        return match[0]

    def read_value(self) -> TomlValue:
        """Read a value of any type."""
        start, character = self.at, self.next_character()
        if character in ('"', "'"):
            self.skip_string()
        elif character == "[":
            return self.read_array()
        elif character == "{":
            return self.read_inline_table()
        elif match := _BARE_VALUE.match(self.text, self.at):
            self.at += len(match[0].rstrip())
        return TomlValue(start, self.at)

    def read_array(self) -> TomlValue:
        """Read an array with its brackets."""
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
        """Read an inline table with its braces."""
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
        """Skip blanks and comments after an element, and its comma."""
        self.skip_blank()
        if self.next_character() == ",":
            self.at += 1

    def skip_string(self) -> None:
        """Skip a string of any of the four kinds."""
        for quotes, pattern in _STRINGS.items():
            if self.text.startswith(quotes, self.at):
                match = pattern.match(self.text, self.at)
                if match is None:
                    raise ValueError("a string does not end")
                self.at = match.end()
                return

    def skip_spaces(self) -> None:
        """Skip spaces and tabs."""
        while self.next_character() in (" ", "\t"):
            self.at += 1

    def skip_blank(self) -> None:
        """Skip spaces, line ends and comments."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def next_character(self) -> str:
        """The next character; empty at the end of the text."""
        return self.text[self.at : self.at + 1]

    def line_end(self) -> int:
        """Offset of the end of this line."""
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end
