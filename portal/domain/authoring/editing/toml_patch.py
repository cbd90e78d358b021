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
from portal.domain.authoring.editing.list_alignment import align_lists
from portal.domain.authoring.editing.text_normalisation import is_empty_value, is_same_value
from portal.domain.authoring.editing.toml_scanner import TomlStatement
from portal.domain.authoring.editing.toml_tree import Entry, TableNode, TomlDocument, UnsupportedLayoutError
from portal.domain.authoring.editing.toml_values import rewrite_value

Data = dict[str, Any]


class TextEdit(NamedTuple):
    """Characters that give way to others; none where something is only added."""

    start: int
    end: int
    new: str


def parse_toml(text: str) -> Data:
    """What the text says; numbers with a point as ``Decimal``."""
    return tomllib.loads(text, parse_float=Decimal)


def array_table_texts(text: str, key: str) -> list[str]:
    """Each table of the array ``[[key]]`` as it is written, with the comment above it; none where unusual."""
    document = TomlDocument(text)
    held = document.root.entries.get(key)
    try:
        cores = [document.table_span(node) for node in held] if isinstance(held, list) else []
    except UnsupportedLayoutError:
        return []
    return [text[start:end] for start, end in cores]


def rewrite_toml(text: str, new: Data, ready: Mapping[str, str] | None = None) -> str:
    """The text, changed to say ``new``; a key that is missing there, or empty, is taken out.

    Args:
        text: TOML.
        new: What it shall say.
        ready: For tables that come from another text, how they are written there, by their ``key``.
    """
    old = parse_toml(text)
    if is_same_value(old, new):
        return text
    try:
        changed = _apply_edits(text, _Rewriter(text, ready or {}).edit_root(old, new))
        if is_same_value(parse_toml(changed), new):
            return changed
    except (UnsupportedLayoutError, ValueError):
        pass
    return toml_writer.format_members({key: value for key, value in new.items() if not is_empty_value(value)})


class _Rewriter:
    """The edits that make one text say something else."""

    def __init__(self, text: str, ready: Mapping[str, str]) -> None:
        self.text, self.ready = text, ready
        self.document = TomlDocument(text)

    def edit_root(self, old: Data, new: Data) -> list[TextEdit]:
        """Of the whole text."""
        return self.edit_table(self.document.root, old, new)

    def edit_table(self, node: TableNode, old: Data, new: Data) -> list[TextEdit]:
        """Of one table: keys taken out and changed first, then keys added, tables last."""
        edits: list[TextEdit] = []
        for key, held in node.entries.items():
            if not is_same_value(old[key], new.get(key)):
                edits += self._edit_value(held, old[key], new.get(key))
        added = [key for key, value in new.items() if key not in old and not is_empty_value(value)]
        headed = [key for key in added if toml_writer.needs_header(new[key]) and not node.key_prefix]
        for key in added:
            if key not in headed:
                edits.append(self._add_key(node, key, new))
        return edits + [self._add_tables(node, key, new[key]) for key in headed]

    def _edit_value(self, held: Entry, old: Any, new: Any) -> list[TextEdit]:
        if isinstance(held, list):
            if new is not None and not (isinstance(new, list) and all(isinstance(v, dict) for v in new)):
                raise UnsupportedLayoutError
            return self._edit_array(held, old, new or [])
        if isinstance(held, TableNode):
            if new is None:
                return self._remove_table(held, old)
            if not isinstance(new, dict):
                raise UnsupportedLayoutError
            return self.edit_table(held, old, new)
        if new is None or new == "":
            return [self._remove_line(held)]
        return [TextEdit(held.value.start, held.value.end, rewrite_value(self.text, held.value, old, new))]

    def _add_key(self, node: TableNode, key: str, new: Data) -> TextEdit:
        line = (
            f"{toml_writer.format_dotted_key((*node.key_prefix, key))} = {toml_writer.format_value(new[key])}"
        )
        keys = list(new)
        before = [node.entries.get(each) for each in keys[: keys.index(key)]]
        ends = [each.end for each in before if isinstance(each, TomlStatement)]
        at = ends[-1] if ends else node.insert_at
        if at is None:
            raise UnsupportedLayoutError
        return TextEdit(at, at, f"\n{line}" if at else f"{line}\n")

    def _add_tables(self, node: TableNode, key: str, value: Any) -> TextEdit:
        names = (*node.key_path, key)
        array = isinstance(value, list)
        written = [
            toml_writer.format_table(names, each, array=array) for each in (value if array else [value])
        ]
        at = self.document.section_end(node.sections[-1]) or len(self.text.rstrip())
        if not at:
            raise UnsupportedLayoutError
        return TextEdit(at, at, "".join(f"\n\n{each.removesuffix(chr(10))}" for each in written))

    def _remove_table(self, node: TableNode, old: Data) -> list[TextEdit]:
        if node.sections:
            return self._remove_spans([self.document.table_span(node)])
        return [edit for key, held in node.entries.items() for edit in self._edit_value(held, old[key], None)]

    def _remove_line(self, statement: TomlStatement) -> TextEdit:
        if statement.end < len(self.text):
            return TextEdit(statement.start, statement.end + 1, "")
        return TextEdit(max(statement.start - 1, 0), statement.end, "")

    def _edit_array(
        self, nodes: Sequence[TableNode], old: Sequence[Data], new: Sequence[Data]
    ) -> list[TextEdit]:
        """Of an array of tables: those that stay take the places that are left, in their new order."""
        cores = [self.document.table_span(node) for node in nodes]
        at = align_lists(old, new)
        stay = [index for index in at if index is not None]
        if not stay and new:
            written = self._gap_between(cores).join(self._format_array_table(nodes[0], each) for each in new)
            return [TextEdit(*cores[0], written), *self._remove_spans(cores[1:])]
        edits = self._remove_spans([core for index, core in enumerate(cores) if index not in stay])
        place = dict(zip(stay, sorted(stay), strict=True))
        for index, each in zip(at, new, strict=True):
            if index is not None:
                inner = self.edit_table(nodes[index], old[index], each)
                edits += (
                    inner
                    if place[index] == index
                    else [self._move_table(cores[index], cores[place[index]], inner)]
                )
        return edits + self._insert_tables(nodes, cores, at, new)

    def _move_table(self, core: tuple[int, int], to: tuple[int, int], inner: Iterable[TextEdit]) -> TextEdit:
        start, end = core
        shifted = [TextEdit(edit.start - start, edit.end - start, edit.new) for edit in inner]
        return TextEdit(*to, _apply_edits(self.text[start:end], shifted))

    def _insert_tables(
        self,
        nodes: Sequence[TableNode],
        cores: Sequence[tuple[int, int]],
        at: Sequence[int | None],
        new: Sequence[Data],
    ) -> list[TextEdit]:
        edits = []
        gap = self._gap_between(cores)
        places = sorted(index for index in at if index is not None)
        passed = 0
        for index, each in zip(at, new, strict=True):
            if index is not None:
                passed += 1
                continue
            written = self._format_array_table(nodes[0], each)
            if passed:
                end = cores[places[passed - 1]][1]
                edits.append(TextEdit(end, end, gap + written))
            else:
                start = cores[places[0]][0]
                edits.append(TextEdit(start, start, written + gap))
        return edits

    def _format_array_table(self, like: TableNode, data: Data) -> str:
        ready = self.ready.get(str(data.get("key")))
        if ready is not None:
            return ready
        kept = {key: value for key, value in data.items() if not is_empty_value(value)}
        return toml_writer.format_table(like.key_path, kept, array=True).removesuffix("\n")

    def _gap_between(self, cores: Sequence[tuple[int, int]]) -> str:
        """What stands between two tables of the array, else above the first, where it is blank."""
        start = cores[0][0]
        gaps = [self.text[len(self.text[:start].rstrip()) : start]]
        gaps += [self.text[one[1] : other[0]] for one, other in pairwise(cores)]
        blank = [gap for gap in gaps if gap and not gap.strip()]
        return "\n" * max(blank[-1].count("\n"), 1) if blank else "\n\n"

    def _remove_spans(self, cores: Sequence[tuple[int, int]]) -> list[TextEdit]:
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
                edits.append(TextEdit(start, end + len(after) - len(after.lstrip()), ""))
            else:
                edits.append(TextEdit(len(self.text[:start].rstrip()), end, ""))
        return edits


def _apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with all edits made; those at one place in their order."""
    written, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        if edit.start < at or edit.end > len(text):
            raise UnsupportedLayoutError
        written += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*written, text[at:]])
