"""Changes the values in a TOML text and keeps everything else of it: comments, order and layout.

The text is parsed into spans of characters, and only the spans of changed values are rewritten. The result is
parsed again and compared with the intended data. Where the layout does not allow this, the whole text is
written anew, so the result always has the intended values.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple, Union

from portal.domain.authoring import toml_writer
from portal.domain.authoring.texts import (
    align_lists,
    diff_lines,
    is_empty_value,
    is_same_value,
    normalise_line_ends,
)

# Scans a TOML text for headers, keys and values, and records each as a span of characters.
#
# The text must be valid TOML (callers parse it with ``tomllib`` first); nothing is validated here. The
# end of a line excludes its LF.

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


# Rewrites a string in a TOML text, in the style of quotation marks that it already has.


def rewrite_string(raw: str, old: str, new: str, *, inside: bool = False) -> str:
    """The text to write in place of ``raw``, so that its value changes from ``old`` to ``new``.

    Space at the ends is kept. In a multi-line string, unchanged lines keep their characters and escapes.

    Args:
        raw: The string as written, with its quotation marks.
        old: Its value.
        new: Its new value.
        inside: Whether it is part of an array or an inline table, where a new string stays in one line.
    """
    text = normalise_line_ends(new).strip()
    if old.strip() and text:
        text = old[: len(old) - len(old.lstrip())] + text + old[len(old.rstrip()) :]
    if raw.startswith("'''"):
        return _literal_lines(raw, text) or _basic_lines(None, text)
    if raw.startswith('"""'):
        return _basic_lines(raw, text)
    if raw.startswith("'") and not set(text) & _NOT_LITERAL:
        return f"'{text}'"
    return toml_writer.format_basic_string(text) if inside or "\n" in old else toml_writer.format_string(text)


_CONTROLS = {chr(n) for n in range(32) if n not in (9, 10)} | {"\x7f"}
_NOT_LITERAL = _CONTROLS | {"'", "\n"}


def _literal_lines(raw: str, text: str) -> str | None:
    if "'''" in text or text.endswith("'") or set(text) & _CONTROLS:
        return None
    return f"{_opening_quotes(raw, text)}{text}'''"


def _basic_lines(raw: str | None, text: str) -> str:
    if raw is None:
        return toml_writer.format_multiline_string(text)
    opening = _opening_quotes(raw, text)
    old_lines = _logical_lines(raw[4:-3] if raw.startswith('"""\n') else raw[3:-3]) or []
    lines = text.split("\n")
    written_lines: list[str] = []
    position = 0
    for start, end, k, m in diff_lines([value for _, value in old_lines], lines):
        new = [toml_writer.escape_multiline(line) for line in lines[k:m]]
        if new and m == len(lines):
            new[-1] = toml_writer.escape_last_quote(new[-1])
        written_lines += [*(line_text for line_text, _ in old_lines[position:start]), *new]
        position = end
    written_lines += [line_text for line_text, _ in old_lines[position:]]
    return f'{opening}{chr(10).join(written_lines)}"""'


def _opening_quotes(raw: str, text: str) -> str:
    """The opening quotation marks, with the LF that followed them or that a text beginning with LF needs."""
    quotes = raw[:3]
    return f"{quotes}\n" if raw.startswith(f"{quotes}\n") or text.startswith("\n") else quotes


def _logical_lines(inside: str) -> list[tuple[str, str]] | None:
    """The lines as written, each with its value; None where a written line contains an escaped LF.

    Lines joined by a backslash at the end count as one.
    """
    logical_lines: list[tuple[str, str]] = []
    rows = inside.split("\n")
    begin = 0
    while begin < len(rows):
        end = _end_of_logical_line(rows, begin)
        group = "\n".join(rows[begin:end])
        value = tomllib.loads(f'line = """{group}"""')["line"] if "\\" in group else group
        if "\n" in value:
            return None
        logical_lines.append((group, value))
        begin = end
    return logical_lines


def _end_of_logical_line(rows: list[str], begin: int) -> int:
    index = begin
    while _ends_in_backslash(rows[index]) and index + 1 < len(rows):
        index += 1
        while index + 1 < len(rows) and not rows[index].strip():
            index += 1
    return index + 1


def _ends_in_backslash(row: str) -> bool:
    """Whether the line ends in an unescaped backslash, which joins it to the next."""
    stripped = row.rstrip()
    return (len(stripped) - len(stripped.rstrip("\\"))) % 2 == 1


# Parses a TOML text into a tree of tables that records where each is written in the text.

Entry = Union[TomlStatement, "TableNode", list["TableNode"]]


class UnsupportedLayoutError(Exception):
    """The text's layout does not allow editing in place."""


@dataclass(slots=True)
class TableNode:
    """One table, defined by its header, by dotted keys, or implicitly by the headers of its sub-tables."""

    key_path: KeyPath  # from the root
    key_prefix: KeyPath = ()  # of its keys within their section
    insert_at: int | None = None  # end of the line after which a new key goes; None: no such line
    entries: dict[str, Entry] = field(default_factory=dict)
    sections: list[int] = field(default_factory=list)  # indices, with those of its sub-tables


class TomlDocument:
    """A TOML text with its sections and its root table."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sections = scan_toml(text)
        self.root = TableNode((), insert_at=0)
        for number, section in enumerate(self.sections):
            owners = self._owning_tables(section)
            for owner in owners:
                owner.sections.append(number)
            self._attach_statements(owners[-1], section)

    def table_span(self, node: TableNode) -> tuple[int, int]:
        """Start and end of the table's text, from the comment above its header to its last line without LF.

        Raises:
            UnsupportedLayoutError: Other tables are written in between.
        """
        first, last = node.sections[0], node.sections[-1]
        if node.sections != list(range(first, last + 1)) or not self.sections[first].key_path:
            raise UnsupportedLayoutError
        return self.section_start(first), self.section_end(last)

    def section_start(self, number: int) -> int:
        """Offset where the section begins: its header, or the comment directly above it."""
        start = self.sections[number].start
        floor = self.sections[number - 1].content_end if number else 0
        while start > floor:
            line = self.text.rfind("\n", 0, start - 1) + 1
            if 0 < floor >= line or not self.text[line:start].lstrip(" \t").startswith("#"):
                break
            start = line
        return start

    def section_end(self, number: int) -> int:
        """Offset where the section ends: its last line, or the comment directly below it."""
        end = self.sections[number].content_end
        stop = self.section_start(number + 1) if number + 1 < len(self.sections) else len(self.text)
        while end + 1 < stop:
            after = self.text.find("\n", end + 1)
            after = len(self.text) if after < 0 else after
            if after > stop or not self.text[end + 1 : after].lstrip(" \t").startswith("#"):
                break
            end = after
        return end

    def _owning_tables(self, section: TomlSection) -> list[TableNode]:
        """The tables that contain the section, from the root to its own."""
        owners = [self.root]
        for depth, name in enumerate(section.key_path):
            entry = owners[-1].entries.get(name)
            is_own = depth == len(section.key_path) - 1
            if is_own and section.is_array:
                entry = entry if isinstance(entry, list) else []
                entry.append(TableNode(section.key_path))
                owners[-1].entries[name] = entry
            elif entry is None:
                entry = owners[-1].entries[name] = TableNode(section.key_path[: depth + 1])
            owners.append(_table_of_entry(entry))
        return owners

    def _attach_statements(self, node: TableNode, section: TomlSection) -> None:
        if section.key_path:
            node.insert_at = section.header_end
        for statement in section.statements:
            table = node
            table.insert_at = statement.end
            for depth, name in enumerate(statement.key_path[:-1]):
                prefix = statement.key_path[: depth + 1]
                entry = table.entries.setdefault(name, TableNode((*node.key_path, *prefix), prefix))
                table = _table_of_entry(entry)
                table.insert_at = statement.end
            table.entries[statement.key_path[-1]] = statement


def _table_of_entry(entry: Entry) -> TableNode:
    if isinstance(entry, list):
        return entry[-1]
    if isinstance(entry, TomlStatement):
        raise UnsupportedLayoutError
    return entry


# Rewrites a value in a TOML text; unchanged parts of an array or inline table keep their characters.


def rewrite_value(text: str, value: TomlValue, old: Any, new: Any, *, inside: bool = False) -> str:
    """The text to write in place of ``value``, so that it changes from ``old`` to ``new``.

    Args:
        text: The whole text.
        value: The value's span in it.
        old: Its data.
        new: Its new data.
        inside: Whether it is part of an array or an inline table.
    """
    raw = text[value.start : value.end]
    if is_same_value(old, new):
        return raw
    if isinstance(old, str) and isinstance(new, str):
        return rewrite_string(raw, old, new, inside=inside)
    if isinstance(old, list) and isinstance(new, list) and value.elements and new:
        return _rewrite_array(text, value, old, new)
    if isinstance(old, dict) and isinstance(new, dict) and value.members:
        return _rewrite_inline_table(text, value, old, new)
    return toml_writer.format_nested_value(new) if inside else toml_writer.format_value(new)


def _rewrite_inline_table(text: str, value: TomlValue, old: dict[str, Any], new: dict[str, Any]) -> str:
    if any(len(member.key_path) > 1 for member in value.members):
        return toml_writer.format_value(new)
    old_members = {member.key_path[0]: member for member in value.members}
    written_members = []
    for key, member in old_members.items():
        if key in new or is_empty_value(old[key]):
            new_text = rewrite_value(text, member.value, old[key], new.get(key, old[key]), inside=True)
            written_members.append(text[member.start : member.value.start] + new_text)
    written_members += [
        f"{toml_writer.format_key(key)} = {toml_writer.format_nested_value(member_value)}"
        for key, member_value in new.items()
        if key not in old_members and not is_empty_value(member_value)
    ]
    opening = text[value.start : value.members[0].start]
    closing = text[value.members[-1].value.end : value.end]
    return f"{opening}{', '.join(written_members)}{closing}" if written_members else "{}"


def _rewrite_array(text: str, value: TomlValue, old: list[Any], new: list[Any]) -> str:
    old_indices = align_lists(old, new)
    element_texts = [
        toml_writer.format_nested_value(element)
        if index is None
        else rewrite_value(text, value.elements[index], old[index], element, inside=True)
        for element, index in zip(new, old_indices, strict=True)
    ]
    if _has_one_per_line(text, value):
        return _rewrite_array_lines(text, value, old_indices, element_texts)
    return _rewrite_array_row(text, value, old_indices, element_texts)


def _has_one_per_line(text: str, value: TomlValue) -> bool:
    """Whether each element begins its own line and has its comma on the line where it ends."""
    bounds = [value.start, *(element.end for element in value.elements)]
    before = [text[end : element.start] for end, element in zip(bounds, value.elements, strict=False)]
    return all("\n" in between for between in before) and all(
        between.lstrip(" \t").startswith(",") for between in before[1:]
    )


def _rewrite_array_lines(
    text: str, value: TomlValue, old_indices: Sequence[int | None], element_texts: Sequence[str]
) -> str:
    """Rewrite an array line by line; an element moves with the lines above it and the comment after it."""
    heads, tails, commas = [], [], []
    end = text.index("\n", value.start) + 1
    opening = text[value.start : end]
    for element in value.elements:
        heads.append(text[end : element.start])
        end = min(text.find("\n", element.end) + 1 or value.end, value.end)
        remainder = text[element.end : end]
        commas.append(remainder.lstrip(" \t").startswith(","))
        tails.append(remainder.replace(",", "", 1) if commas[-1] else remainder)
    if not tails[-1].endswith("\n"):  # the closing bracket is on the last element's line
        end = value.elements[-1].end
        tails[-1] = ""
    indent = heads[0].rpartition("\n")[2]
    lines = []
    for place, (index, element_text) in enumerate(zip(old_indices, element_texts, strict=True)):
        head, tail = (indent, "\n") if index is None else (heads[index], tails[index] or "\n")
        last = place == len(element_texts) - 1
        comma = "," if not last or commas[-1] else ""
        lines.append(f"{head}{element_text}{comma}{tail}")
    if not tails[-1]:
        lines[-1] = lines[-1].removesuffix("\n")
    return f"{opening}{''.join(lines)}{text[end : value.end]}"


def _rewrite_array_row(
    text: str, value: TomlValue, old_indices: Sequence[int | None], element_texts: Sequence[str]
) -> str:
    """Rewrite an array in one row; the separators between existing positions are kept."""
    separators = [text[first.end : second.start] for first, second in pairwise(value.elements)]
    places = sorted(index for index in old_indices if index is not None)
    separator = separators[0] if separators and "#" not in separators[0] else ", "
    opening = text[value.start : value.elements[0].start]
    closing = text[value.elements[-1].end : value.end]
    if not places:
        return f"{opening}{separator.join(element_texts)}{closing}"
    old_separators = iter([*(separators[index] for index in places[:-1])])
    row, old_seen = element_texts[0], old_indices[0] is not None
    for index, element_text in zip(old_indices[1:], element_texts[1:], strict=True):
        joint = next(old_separators, separator) if index is not None and old_seen else separator
        old_seen = old_seen or index is not None
        row += joint + element_text
    return f"{opening}{row}{closing}"


Data = dict[str, Any]


class TextEdit(NamedTuple):
    """Replaces the characters from ``start`` to ``end``; an insertion has ``start`` equal to ``end``."""

    start: int
    end: int
    new: str


def parse_toml(text: str) -> Data:
    """Parse the text; numbers with a decimal point become ``Decimal``."""
    return tomllib.loads(text, parse_float=Decimal)


def array_table_texts(text: str, key: str) -> list[str]:
    """The text of each table in the array ``[[key]]`` with the comment above it.

    Empty where the layout does not allow them to be separated.
    """
    return [text[start:end] for start, end in array_table_spans(text, key)]


def array_table_spans(text: str, key: str) -> list[tuple[int, int]]:
    """Where each table in the array ``[[key]]`` begins and ends, with the comment above it.

    Empty where the layout does not allow them to be separated.
    """
    document = TomlDocument(text)
    nodes = document.root.entries.get(key)
    try:
        return [document.table_span(node) for node in nodes] if isinstance(nodes, list) else []
    except UnsupportedLayoutError:
        return []


def rewrite_toml(text: str, new: Data, ready_tables: Mapping[str, str] | None = None) -> str:
    """The text changed to have the values of ``new``; keys that are missing or empty there are removed.

    Args:
        text: TOML.
        new: All values that it is to have.
        ready_tables: Texts of tables moved from another file, by their ``key``.
    """
    old = parse_toml(text)
    if is_same_value(old, new):
        return text
    try:
        changed = _apply_edits(text, _Rewriter(text, ready_tables or {}).edit_root(old, new))
        if is_same_value(parse_toml(changed), new):
            return changed
    except (UnsupportedLayoutError, ValueError):
        pass
    return toml_writer.format_members({key: value for key, value in new.items() if not is_empty_value(value)})


class _Rewriter:
    """Computes the edits that change the values of one text."""

    def __init__(self, text: str, ready_tables: Mapping[str, str]) -> None:
        self.text, self.ready_tables = text, ready_tables
        self.document = TomlDocument(text)

    def edit_root(self, old: Data, new: Data) -> list[TextEdit]:
        """Edits of the whole text."""
        return self.edit_table(self.document.root, old, new)

    def edit_table(self, node: TableNode, old: Data, new: Data) -> list[TextEdit]:
        """Edits of one table: removed and changed keys first, then new keys, new tables last."""
        edits: list[TextEdit] = []
        for key, entry in node.entries.items():
            if not is_same_value(old[key], new.get(key)):
                edits += self._edit_value(entry, old[key], new.get(key))
        added_keys = [key for key, value in new.items() if key not in old and not is_empty_value(value)]
        header_keys = [
            key for key in added_keys if toml_writer.needs_header(new[key]) and not node.key_prefix
        ]
        for key in added_keys:
            if key not in header_keys:
                edits.append(self._add_key(node, key, new))
        return edits + [self._add_tables(node, key, new[key]) for key in header_keys]

    def _edit_value(self, entry: Entry, old: Any, new: Any) -> list[TextEdit]:
        if isinstance(entry, list):
            if new is not None and not (isinstance(new, list) and all(isinstance(v, dict) for v in new)):
                raise UnsupportedLayoutError
            return self._edit_array(entry, old, new or [])
        if isinstance(entry, TableNode):
            if new is None:
                return self._remove_table(entry, old)
            if not isinstance(new, dict):
                raise UnsupportedLayoutError
            return self.edit_table(entry, old, new)
        if new is None or new == "":
            return [self._remove_line(entry)]
        return [TextEdit(entry.value.start, entry.value.end, rewrite_value(self.text, entry.value, old, new))]

    def _add_key(self, node: TableNode, key: str, new: Data) -> TextEdit:
        dotted_key = toml_writer.format_dotted_key((*node.key_prefix, key))
        line = f"{dotted_key} = {toml_writer.format_value(new[key])}"
        keys = list(new)
        earlier_entries = [node.entries.get(earlier_key) for earlier_key in keys[: keys.index(key)]]
        ends = [entry.end for entry in earlier_entries if isinstance(entry, TomlStatement)]
        position = ends[-1] if ends else node.insert_at
        if position is None:
            raise UnsupportedLayoutError
        return TextEdit(position, position, f"\n{line}" if position else f"{line}\n")

    def _add_tables(self, node: TableNode, key: str, value: Any) -> TextEdit:
        names = (*node.key_path, key)
        array = isinstance(value, list)
        table_texts = [
            toml_writer.format_table(names, member, array=array) for member in (value if array else [value])
        ]
        position = self.document.section_end(node.sections[-1]) or len(self.text.rstrip())
        if not position:
            raise UnsupportedLayoutError
        insertion = "".join(f"\n\n{text.removesuffix(chr(10))}" for text in table_texts)
        return TextEdit(position, position, insertion)

    def _remove_table(self, node: TableNode, old: Data) -> list[TextEdit]:
        if node.sections:
            return self._remove_spans([self.document.table_span(node)])
        return [
            edit for key, entry in node.entries.items() for edit in self._edit_value(entry, old[key], None)
        ]

    def _remove_line(self, statement: TomlStatement) -> TextEdit:
        if statement.end < len(self.text):
            return TextEdit(statement.start, statement.end + 1, "")
        return TextEdit(max(statement.start - 1, 0), statement.end, "")

    def _edit_array(
        self, nodes: Sequence[TableNode], old: Sequence[Data], new: Sequence[Data]
    ) -> list[TextEdit]:
        """Edits of an array of tables: kept tables take the remaining positions in their new order."""
        spans = [self.document.table_span(node) for node in nodes]
        old_indices = align_lists(old, new)
        kept_indices = [index for index in old_indices if index is not None]
        if not kept_indices and new:
            new_text = self._gap_between(spans).join(
                self._format_array_table(nodes[0], member) for member in new
            )
            return [TextEdit(*spans[0], new_text), *self._remove_spans(spans[1:])]
        edits = self._remove_spans([span for index, span in enumerate(spans) if index not in kept_indices])
        new_places = dict(zip(kept_indices, sorted(kept_indices), strict=True))
        for index, member in zip(old_indices, new, strict=True):
            if index is not None:
                inner_edits = self.edit_table(nodes[index], old[index], member)
                if new_places[index] == index:
                    edits += inner_edits
                else:
                    edits.append(self._move_table(spans[index], spans[new_places[index]], inner_edits))
        return edits + self._insert_tables(nodes, spans, old_indices, new)

    def _move_table(
        self, span: tuple[int, int], target: tuple[int, int], inner_edits: Iterable[TextEdit]
    ) -> TextEdit:
        start, end = span
        shifted = [TextEdit(edit.start - start, edit.end - start, edit.new) for edit in inner_edits]
        return TextEdit(*target, _apply_edits(self.text[start:end], shifted))

    def _insert_tables(
        self,
        nodes: Sequence[TableNode],
        spans: Sequence[tuple[int, int]],
        old_indices: Sequence[int | None],
        new: Sequence[Data],
    ) -> list[TextEdit]:
        edits = []
        gap = self._gap_between(spans)
        places = sorted(index for index in old_indices if index is not None)
        passed_count = 0
        for index, member in zip(old_indices, new, strict=True):
            if index is not None:
                passed_count += 1
                continue
            new_text = self._format_array_table(nodes[0], member)
            if passed_count:
                end = spans[places[passed_count - 1]][1]
                edits.append(TextEdit(end, end, gap + new_text))
            else:
                start = spans[places[0]][0]
                edits.append(TextEdit(start, start, new_text + gap))
        return edits

    def _format_array_table(self, like: TableNode, data: Data) -> str:
        ready_text = self.ready_tables.get(str(data.get("key")))
        if ready_text is not None:
            return ready_text
        nonempty = {key: value for key, value in data.items() if not is_empty_value(value)}
        return toml_writer.format_table(like.key_path, nonempty, array=True).removesuffix("\n")

    def _gap_between(self, spans: Sequence[tuple[int, int]]) -> str:
        """The blank lines between two tables of the array, or above the first."""
        start = spans[0][0]
        gaps = [self.text[len(self.text[:start].rstrip()) : start]]
        gaps += [self.text[first[1] : second[0]] for first, second in pairwise(spans)]
        blank = [gap for gap in gaps if gap and not gap.strip()]
        return "\n" * max(blank[-1].count("\n"), 1) if blank else "\n\n"

    def _remove_spans(self, spans: Sequence[tuple[int, int]]) -> list[TextEdit]:
        """Remove tables with the blank lines below them, or at the end of the text with those above them."""
        runs: list[tuple[int, int]] = []
        for start, end in spans:
            if runs and not self.text[runs[-1][1] : start].strip():
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        edits = []
        for start, end in runs:
            after = self.text[end:]
            if after.strip():
                edits.append(TextEdit(start, end + len(after) - len(after.lstrip()), ""))
            else:
                edits.append(TextEdit(len(self.text[:start].rstrip()), end, ""))
        return edits


def _apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with all edits applied; edits at the same position keep their order.

    Raises:
        UnsupportedLayoutError: Two edits overlap.
    """
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        if edit.start < position or edit.end > len(text):
            raise UnsupportedLayoutError
        pieces += [text[position : edit.start], edit.new]
        position = edit.end
    return "".join([*pieces, text[position:]])
