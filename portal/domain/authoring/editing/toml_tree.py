"""A TOML text as the tables it speaks of, each with the places in the text where it is written."""

from dataclasses import dataclass, field
from typing import Union

from portal.domain.authoring.editing.toml_scanner import Names, Section, Statement, scan

Held = Union[Statement, "Node", list["Node"]]


class UnusualError(Exception):
    """The text is written in a way that cannot be changed place by place."""


@dataclass(slots=True)
class Node:
    """One table: by its header, by dotted keys, or by nothing but the headers of tables in it."""

    names: Names  # from the root
    prefix: Names = ()  # of its keys in the section in which they stand
    anchor: int | None = None  # the end of the line behind which a new key of it goes; None: nowhere yet
    held: dict[str, Held] = field(default_factory=dict)
    sections: list[int] = field(default_factory=list)  # its own and those of tables in it


class Document:
    """The text, its sections, and the outermost table."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sections = scan(text)
        self.root = Node((), anchor=0)
        for number, section in enumerate(self.sections):
            owners = self._owners(section)
            for owner in owners:
                owner.sections.append(number)
            self._hang(owners[-1], section)

    def core(self, node: Node) -> tuple[int, int]:
        """The table's text: from the comment above its header to its last line, which has no line feed.

        Raises:
            UnusualError: Other tables stand in between.
        """
        first, last = node.sections[0], node.sections[-1]
        if node.sections != list(range(first, last + 1)) or not self.sections[first].names:
            raise UnusualError
        return self.above(first), self.below(last)

    def above(self, number: int) -> int:
        """Where the section begins: at its header, or at the comment right above it."""
        start = self.sections[number].start
        floor = self.sections[number - 1].last if number else 0
        while start > floor:
            line = self.text.rfind("\n", 0, start - 1) + 1
            if 0 < floor >= line or not self.text[line:start].lstrip(" \t").startswith("#"):
                break
            start = line
        return start

    def below(self, number: int) -> int:
        """Where the section ends: with its last line, or with the comment right below it."""
        end = self.sections[number].last
        stop = self.above(number + 1) if number + 1 < len(self.sections) else len(self.text)
        while end + 1 < stop:
            after = self.text.find("\n", end + 1)
            after = len(self.text) if after < 0 else after
            if after > stop or not self.text[end + 1 : after].lstrip(" \t").startswith("#"):
                break
            end = after
        return end

    def _owners(self, section: Section) -> list[Node]:
        """The tables that the section is in, from the root to its own."""
        owners = [self.root]
        for depth, name in enumerate(section.names):
            held = owners[-1].held.get(name)
            last = depth == len(section.names) - 1
            if last and section.array:
                held = held if isinstance(held, list) else []
                held.append(Node(section.names))
                owners[-1].held[name] = held
            elif held is None:
                held = owners[-1].held[name] = Node(section.names[: depth + 1])
            owners.append(_table(held))
        return owners

    def _hang(self, node: Node, section: Section) -> None:
        if section.names:
            node.anchor = section.end
        for statement in section.statements:
            table = node
            table.anchor = statement.end
            for depth, name in enumerate(statement.names[:-1]):
                prefix = statement.names[: depth + 1]
                held = table.held.setdefault(name, Node((*node.names, *prefix), prefix))
                table = _table(held)
                table.anchor = statement.end
            table.held[statement.names[-1]] = statement


def _table(held: Held) -> Node:
    if isinstance(held, list):
        return held[-1]
    if isinstance(held, Statement):
        raise UnusualError
    return held
