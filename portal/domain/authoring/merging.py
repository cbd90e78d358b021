"""Three-way merge of files: changes of one side are taken, conflicting changes are left to the author.

Texts are merged line by line. Two changes conflict where they share a line, or where one inserts lines at the
edge of the other, because their order is then unknown; whole items that both sides added are both kept. A
merge that leaves invalid TOML counts as a conflict.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from portal.domain.authoring.texts import diff_lines
from portal.domain.authoring.toml_patch import parse_toml

# Recognises merges in which both sides only added items, so that both can be kept.

Tables = dict[str, dict[str, Any]]


def is_clean_union(
    merged: bytes | None, base: bytes | None, mine: bytes | None, theirs: bytes | None
) -> bool:
    """Whether the merged file has every item that either side added, complete, and nothing else.

    False where both sides added the same key, or where a file cannot be parsed.
    """
    sides = [_items_by_key(side) for side in (merged, base, mine, theirs)]
    if any(side is None for side in sides):
        return False
    union, base_items, my_items, their_items = (side or {} for side in sides)
    my_added = {key: table for key, table in my_items.items() if key not in base_items}
    their_added = {key: table for key, table in their_items.items() if key not in base_items}
    return (
        not my_added.keys() & their_added.keys()
        and all(union.get(key) == table for key, table in (my_added | their_added).items())
        and all(table in (my_items.get(key), their_items.get(key)) for key, table in union.items())
    )


def _items_by_key(content: bytes | None) -> Tables | None:
    """Items by key; None where a key is missing or repeated, or the file cannot be parsed."""
    try:
        rows = parse_toml((content or b"").decode()).get("item", [])
    except ValueError:
        return None
    tables = [row for row in rows if isinstance(row, dict) and isinstance(row.get("key"), str)]
    items: Tables = {row["key"]: row for row in tables}
    return items if len(items) == len(rows) else None


Lines = list[str]


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place that both sides changed differently."""

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The result of merging one file."""

    with_mine: bytes | None  # conflicts resolved as mine; None: no file
    with_theirs: bytes | None  # conflicts resolved as theirs; None: no file
    hunks: list[Hunk] = field(default_factory=list)
    union: bytes | None = None  # only where both sides inserted lines alone: mine, then theirs


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """One file in which both sides changed the same place differently."""

    path: str
    base: bytes | None
    mine: bytes | None  # the draft's; None: no file
    theirs: bytes | None  # the published version's
    with_mine: bytes | None  # merged, with conflicts resolved as in the draft
    with_theirs: bytes | None  # merged, with conflicts resolved as published
    hunks: list[Hunk]  # a single one with both whole files where lines cannot be merged


class _SideChange(NamedTuple):
    """Lines ``start`` to ``end`` of the base, and the lines that one side replaced them with."""

    start: int
    end: int
    new: Lines


@dataclass(slots=True)
class _ChangeGroup:
    """Changes that overlap, and the range of base lines that they cover."""

    start: int
    end: int
    mine: list[_SideChange] = field(default_factory=list)
    theirs: list[_SideChange] = field(default_factory=list)


def merge_file(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> MergeResult:
    """Merge one file; None means no file."""
    if mine == theirs or theirs == base:
        return MergeResult(mine, mine)
    if mine == base:
        return MergeResult(theirs, theirs)
    texts = [_decode_text(content) for content in (base, mine, theirs)]
    if None in texts:
        return MergeResult(mine, theirs, [Hunk(*("" if content is None else content for content in texts))])
    return _merge_lines(*(_split_lines(content or "") for content in texts))


def merge_folders(
    base: Mapping[str, bytes], mine: Mapping[str, bytes], theirs: Mapping[str, bytes]
) -> tuple[dict[str, bytes | None], list[MergeConflict]]:
    """Merge all files; returns the merged ones by path, and a conflict for each of the others."""
    merged: dict[str, bytes | None] = {}
    conflicts = []
    for path in sorted({*base, *mine, *theirs}):
        versions = base.get(path), mine.get(path), theirs.get(path)
        result = merge_file(*versions)
        if not result.hunks and result.with_mine not in versions and not _is_readable(path, result.with_mine):
            whole_files = Hunk(*((content or b"").decode() for content in versions))
            result = MergeResult(versions[1], versions[2], [whole_files])
        if result.hunks and path.startswith("items/") and is_clean_union(result.union, *versions):
            result = MergeResult(result.union, result.union)
        if result.hunks:
            with_mine, with_theirs = result.with_mine, result.with_theirs
            if not _is_readable(path, with_mine) or not _is_readable(path, with_theirs):
                with_mine, with_theirs = versions[1], versions[2]
            conflicts.append(MergeConflict(path, *versions, with_mine, with_theirs, result.hunks))
        else:
            merged[path] = result.with_mine
    return merged, conflicts


def merge_cleanly(path: str, base: bytes | None, mine: bytes, theirs: bytes | None) -> bytes | None:
    """Merge one file; None where it conflicts, or where the base or the other side has no such file."""
    if base is None or theirs is None:
        return None
    merged, conflicts = merge_folders({path: base}, {path: mine}, {path: theirs})
    return None if conflicts else merged[path]


def _merge_lines(base: Lines, mine: Lines, theirs: Lines) -> MergeResult:
    with_mine: Lines = []
    with_theirs: Lines = []
    joined: Lines = []
    hunks = []
    at = 0
    for group in _group_changes(_side_changes(base, mine), _side_changes(base, theirs)):
        unchanged = base[at : group.start]
        my_lines, their_lines = _side_lines(base, group, group.mine), _side_lines(base, group, group.theirs)
        if group.mine and group.theirs and my_lines != their_lines:
            hunks.append(Hunk(*map("".join, (base[group.start : group.end], my_lines, their_lines))))
        elif not group.mine:
            my_lines = their_lines
        else:
            their_lines = my_lines
        with_mine += unchanged + my_lines
        with_theirs += unchanged + their_lines
        joined += unchanged + (my_lines if my_lines == their_lines else my_lines + their_lines)
        at = group.end
    ours, others, both = (_join_lines([*side, *base[at:]]) for side in (with_mine, with_theirs, joined))
    return MergeResult(ours, others, hunks, both if not any(hunk.base for hunk in hunks) else None)


def _side_changes(base: Lines, side: Lines) -> list[_SideChange]:
    return [_SideChange(start, end, side[k:m]) for start, end, k, m in diff_lines(base, side)]


def _group_changes(mine: Sequence[_SideChange], theirs: Sequence[_SideChange]) -> list[_ChangeGroup]:
    """Group the changes of both sides in order; overlapping changes form one group."""
    groups: list[_ChangeGroup] = []
    labelled = [(change, True) for change in mine] + [(change, False) for change in theirs]
    for change, is_mine in sorted(labelled, key=lambda pair: (pair[0].start, pair[0].end, not pair[1])):
        if not groups or not any(
            _changes_overlap(group_change, change) for group_change in groups[-1].mine + groups[-1].theirs
        ):
            groups.append(_ChangeGroup(change.start, change.end))
        group = groups[-1]
        group.end = max(group.end, change.end)
        (group.mine if is_mine else group.theirs).append(change)
    return groups


def _changes_overlap(first: _SideChange, second: _SideChange) -> bool:
    """Whether they share a base line, or touch where one of them is a pure insertion."""
    if max(first.start, second.start) < min(first.end, second.end):
        return True
    is_insertion = first.start == first.end or second.start == second.end
    return is_insertion and first.start <= second.end and second.start <= first.end


def _side_lines(base: Lines, group: _ChangeGroup, changed: Sequence[_SideChange]) -> Lines:
    """The lines of one side in place of the group's base lines."""
    lines: Lines = []
    at = group.start
    for change in changed:
        lines += base[at : change.start] + change.new
        at = change.end
    return lines + base[at : group.end]


def _decode_text(content: bytes | None) -> str | None:
    """Decode a file; None where there is no file or it is not text."""
    if content is None or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _split_lines(text: str) -> Lines:
    return [f"{line}\n" for line in text.split("\n")]  # the last line gets an LF, which _join_lines removes


def _join_lines(lines: Lines) -> bytes:
    return "".join(lines)[:-1].encode()


def _is_readable(path: str, content: bytes | None) -> bool:
    if content is None or path.startswith("media/"):
        return True
    text = content.decode()
    if path.endswith(".md"):
        parts = text.split("+++\n", 2)
        text = parts[1] if len(parts) == 3 and not parts[0] else "="
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True
