"""A TOML text as the tables it speaks of, each with the places in the text where it is written."""

from dataclasses import dataclass, field
from typing import Union

from portal.domain.authoring.editing.toml_scanner import KeyPath, TomlSection, TomlStatement, scan_toml

Entry = Union[TomlStatement, "TableNode", list["TableNode"]]


class UnsupportedLayoutError(Exception):
    """The text is written in a way that cannot be changed place by place."""


@dataclass(slots=True)
class TableNode:
    """One table: by its header, by dotted keys, or by nothing but the headers of tables in it."""

    key_path: KeyPath  # from the root
    key_prefix: KeyPath = ()  # of its keys in the section in which they stand
    insert_at: int | None = None  # the end of the line behind which a new key of it goes; None: nowhere yet
    entries: dict[str, Entry] = field(default_factory=dict)
    sections: list[int] = field(default_factory=list)  # its own and those of tables in it


class TomlDocument:
    """The text, its sections, and the outermost table."""

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
        """The table's text: from the comment above its header to its last line, which has no line feed.

        Raises:
            UnusualError: Other tables stand in between.
        """
        first, last = node.sections[0], node.sections[-1]
        if node.sections != list(range(first, last + 1)) or not self.sections[first].key_path:
            raise UnsupportedLayoutError
        return self.section_start(first), self.section_end(last)

    def section_start(self, number: int) -> int:
        """Where the section begins: at its header, or at the comment right above it."""
        start = self.sections[number].start
        floor = self.sections[number - 1].content_end if number else 0
        while start > floor:
            line = self.text.rfind("\n", 0, start - 1) + 1
            if 0 < floor >= line or not self.text[line:start].lstrip(" \t").startswith("#"):
                break
            start = line
        return start

    def section_end(self, number: int) -> int:
        """Where the section ends: with its last line, or with the comment right below it."""
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
        """The tables that the section is in, from the root to its own."""
        owners = [self.root]
        for depth, name in enumerate(section.key_path):
            held = owners[-1].entries.get(name)
            last = depth == len(section.key_path) - 1
            if last and section.is_array:
                held = held if isinstance(held, list) else []
                held.append(TableNode(section.key_path))
                owners[-1].entries[name] = held
            elif held is None:
                held = owners[-1].entries[name] = TableNode(section.key_path[: depth + 1])
            owners.append(_table_of_entry(held))
        return owners

    def _attach_statements(self, node: TableNode, section: TomlSection) -> None:
        if section.key_path:
            node.insert_at = section.header_end
        for statement in section.statements:
            table = node
            table.insert_at = statement.end
            for depth, name in enumerate(statement.key_path[:-1]):
                prefix = statement.key_path[: depth + 1]
                held = table.entries.setdefault(name, TableNode((*node.key_path, *prefix), prefix))
                table = _table_of_entry(held)
                table.insert_at = statement.end
            table.entries[statement.key_path[-1]] = statement


def _table_of_entry(held: Entry) -> TableNode:
    if isinstance(held, list):
        return held[-1]
    if isinstance(held, TomlStatement):
        raise UnsupportedLayoutError
    return held
