"""A TOML text made to say something else: only the lines that say something else change.

The text is taken apart into spans of characters, and only spans that say something else are written anew;
what was written is read back and compared with what was meant. A text that is written too unusually for that
is written anew as a whole, so that it says what was meant in any case.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.list_alignment import matched
from portal.domain.authoring.editing.text_normalisation import empty, same
from portal.domain.authoring.editing.toml_scanner import Statement
from portal.domain.authoring.editing.toml_tree import Document, Held, Node, UnusualError
from portal.domain.authoring.editing.toml_values import revalued

Data = dict[str, Any]


class Edit(NamedTuple):
    """Characters that give way to others; none where something is only added."""

    start: int
    end: int
    new: str


def parsed(text: str) -> Data:
    """What the text says; numbers with a point as ``Decimal``."""
    return tomllib.loads(text, parse_float=Decimal)


def tables_of(text: str, key: str) -> list[str]:
    """Each table of the array ``[[key]]`` as it is written, with the comment above it; none where unusual."""
    document = Document(text)
    held = document.root.held.get(key)
    try:
        cores = [document.core(node) for node in held] if isinstance(held, list) else []
    except UnusualError:
        return []
    return [text[start:end] for start, end in cores]


def rewrite(text: str, new: Data, ready: Mapping[str, str] | None = None) -> str:
    """The text, changed to say ``new``; a key that is missing there, or empty, is taken out.

    Args:
        text: TOML.
        new: What it shall say.
        ready: For tables that come from another text, how they are written there, by their ``key``.
    """
    old = parsed(text)
    if same(old, new):
        return text
    try:
        changed = _apply(text, _Rewriting(text, ready or {}).whole(old, new))
        if same(parsed(changed), new):
            return changed
    except (UnusualError, ValueError):
        pass
    return toml_writer.members({key: value for key, value in new.items() if not empty(value)})


class _Rewriting:
    """The edits that make one text say something else."""

    def __init__(self, text: str, ready: Mapping[str, str]) -> None:
        self.text, self.ready = text, ready
        self.document = Document(text)

    def whole(self, old: Data, new: Data) -> list[Edit]:
        """Of the whole text."""
        return self.table(self.document.root, old, new)

    def table(self, node: Node, old: Data, new: Data) -> list[Edit]:
        """Of one table: keys taken out and changed first, then keys added, tables last."""
        edits: list[Edit] = []
        for key, held in node.held.items():
            if not same(old[key], new.get(key)):
                edits += self._changed(held, old[key], new.get(key))
        added = [key for key, value in new.items() if key not in old and not empty(value)]
        headed = [key for key in added if toml_writer.headed(new[key]) and not node.prefix]
        for key in added:
            if key not in headed:
                edits.append(self._new_key(node, key, new))
        return edits + [self._new_tables(node, key, new[key]) for key in headed]

    def _changed(self, held: Held, old: Any, new: Any) -> list[Edit]:
        if isinstance(held, list):
            if new is not None and not (isinstance(new, list) and all(isinstance(v, dict) for v in new)):
                raise UnusualError
            return self._tables(held, old, new or [])
        if isinstance(held, Node):
            if new is None:
                return self._without(held, old)
            if not isinstance(new, dict):
                raise UnusualError
            return self.table(held, old, new)
        if new is None or new == "":
            return [self._without_line(held)]
        return [Edit(held.value.start, held.value.end, revalued(self.text, held.value, old, new))]

    def _new_key(self, node: Node, key: str, new: Data) -> Edit:
        line = f"{toml_writer.dotted((*node.prefix, key))} = {toml_writer.value(new[key])}"
        keys = list(new)
        before = [node.held.get(each) for each in keys[: keys.index(key)]]
        ends = [each.end for each in before if isinstance(each, Statement)]
        at = ends[-1] if ends else node.anchor
        if at is None:
            raise UnusualError
        return Edit(at, at, f"\n{line}" if at else f"{line}\n")

    def _new_tables(self, node: Node, key: str, value: Any) -> Edit:
        names = (*node.names, key)
        array = isinstance(value, list)
        written = [toml_writer.table(names, each, array=array) for each in (value if array else [value])]
        at = self.document.below(node.sections[-1]) or len(self.text.rstrip())
        if not at:
            raise UnusualError
        return Edit(at, at, "".join(f"\n\n{each.removesuffix(chr(10))}" for each in written))

    def _without(self, node: Node, old: Data) -> list[Edit]:
        if node.sections:
            return self._without_cores([self.document.core(node)])
        return [edit for key, held in node.held.items() for edit in self._changed(held, old[key], None)]

    def _without_line(self, statement: Statement) -> Edit:
        if statement.end < len(self.text):
            return Edit(statement.start, statement.end + 1, "")
        return Edit(max(statement.start - 1, 0), statement.end, "")

    def _tables(self, nodes: Sequence[Node], old: Sequence[Data], new: Sequence[Data]) -> list[Edit]:
        """Of an array of tables: those that stay take the places that are left, in their new order."""
        cores = [self.document.core(node) for node in nodes]
        at = matched(old, new)
        stay = [index for index in at if index is not None]
        if not stay and new:
            written = self._gap(cores).join(self._written(nodes[0], each) for each in new)
            return [Edit(*cores[0], written), *self._without_cores(cores[1:])]
        edits = self._without_cores([core for index, core in enumerate(cores) if index not in stay])
        place = dict(zip(stay, sorted(stay), strict=True))
        for index, each in zip(at, new, strict=True):
            if index is not None:
                inner = self.table(nodes[index], old[index], each)
                edits += (
                    inner
                    if place[index] == index
                    else [self._moved(cores[index], cores[place[index]], inner)]
                )
        return edits + self._added(nodes, cores, at, new)

    def _moved(self, core: tuple[int, int], to: tuple[int, int], inner: Iterable[Edit]) -> Edit:
        start, end = core
        shifted = [Edit(edit.start - start, edit.end - start, edit.new) for edit in inner]
        return Edit(*to, _apply(self.text[start:end], shifted))

    def _added(
        self,
        nodes: Sequence[Node],
        cores: Sequence[tuple[int, int]],
        at: Sequence[int | None],
        new: Sequence[Data],
    ) -> list[Edit]:
        edits = []
        gap = self._gap(cores)
        places = sorted(index for index in at if index is not None)
        passed = 0
        for index, each in zip(at, new, strict=True):
            if index is not None:
                passed += 1
                continue
            written = self._written(nodes[0], each)
            if passed:
                end = cores[places[passed - 1]][1]
                edits.append(Edit(end, end, gap + written))
            else:
                start = cores[places[0]][0]
                edits.append(Edit(start, start, written + gap))
        return edits

    def _written(self, like: Node, data: Data) -> str:
        ready = self.ready.get(str(data.get("key")))
        if ready is not None:
            return ready
        kept = {key: value for key, value in data.items() if not empty(value)}
        return toml_writer.table(like.names, kept, array=True).removesuffix("\n")

    def _gap(self, cores: Sequence[tuple[int, int]]) -> str:
        """What stands between two tables of the array, else above the first, where it is blank."""
        start = cores[0][0]
        gaps = [self.text[len(self.text[:start].rstrip()) : start]]
        gaps += [self.text[one[1] : other[0]] for one, other in pairwise(cores)]
        blank = [gap for gap in gaps if gap and not gap.strip()]
        return "\n" * max(blank[-1].count("\n"), 1) if blank else "\n\n"

    def _without_cores(self, cores: Sequence[tuple[int, int]]) -> list[Edit]:
        """Each run of tables goes with the blank lines below it, at the text's end with those above it."""
        runs: list[tuple[int, int]] = []
        for start, end in cores:
            if runs and not self.text[runs[-1][1] : start].strip():
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        edits = []
        for start, end in runs:
            after = self.text[end:]
            if after.strip():
                edits.append(Edit(start, end + len(after) - len(after.lstrip()), ""))
            else:
                edits.append(Edit(len(self.text[:start].rstrip()), end, ""))
        return edits


def _apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; those at one place in their order."""
    written, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        if edit.start < at or edit.end > len(text):
            raise UnusualError
        written += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*written, text[at:]])
