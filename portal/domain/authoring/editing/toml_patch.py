"""Changes the values in a TOML text and keeps everything else of it: comments, order and layout.

The text is parsed into spans of characters, and only the spans of changed values are rewritten. The result is
parsed again and compared with the intended data. Where the layout does not allow this, the whole text is
written anew, so the result always has the intended values.
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
