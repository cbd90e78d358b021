"""Parses a TOML text into a tree of tables that records where each is written in the text."""

from dataclasses import dataclass, field
from typing import Union

from portal.domain.authoring.editing.toml_scanner import KeyPath, TomlSection, TomlStatement, scan_toml

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
