"""Three-way merging of files: what only one side changed is taken, what both changed apart is asked.

Texts are merged line by line. Two changes meet where they share a line, or where one puts lines at the edge
of the other: which comes first is then for a person to say, but for whole items, which both stay. A merged
TOML that cannot be read any more is no merge.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from portal.domain.authoring.editing.added_items import is_clean_union
from portal.domain.authoring.editing.line_diff import diff_lines

Lines = list[str]


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place that both sides changed, each in its own way."""

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What came of merging one file."""

    with_mine: bytes | None  # where both changed one place: as mine; None: no file
    with_theirs: bytes | None  # the same, where both changed one place: as theirs
    hunks: list[Hunk] = field(default_factory=list)
    union: bytes | None = None  # where all that both did was to put lines in: mine, then theirs


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """One file in which both sides changed the same place."""

    path: str
    base: bytes | None
    mine: bytes | None  # the draft's file; None: it has none
    theirs: bytes | None  # the published version's
    with_mine: bytes | None  # everything merged, and where both changed one place, the draft's
    with_theirs: bytes | None  # the same with the published version's
    hunks: list[Hunk]  # a single one with all of both where the file cannot be merged by lines


class _SideChange(NamedTuple):
    """Lines ``start`` to ``end`` of the base, and what one side has in their place."""

    start: int
    end: int
    new: Lines


@dataclass(slots=True)
class _ChangeGroup:
    """Changes that meet, and the lines of the base that they cover."""

    start: int
    end: int
    mine: list[_SideChange] = field(default_factory=list)
    theirs: list[_SideChange] = field(default_factory=list)


def merge_file(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> MergeResult:
    """Merge one file; None: there is no such file."""
    if mine == theirs or theirs == base:
        return MergeResult(mine, mine)
    if mine == base:
        return MergeResult(theirs, theirs)
    texts = [_decode_text(each) for each in (base, mine, theirs)]
    if None in texts:
        return MergeResult(mine, theirs, [Hunk(*("" if each is None else each for each in texts))])
    return _merge_lines(*(_split_lines(each or "") for each in texts))


def merge_folders(
    base: Mapping[str, bytes], mine: Mapping[str, bytes], theirs: Mapping[str, bytes]
) -> tuple[dict[str, bytes | None], list[MergeConflict]]:
    """Every file merged, by path, and the conflicts; a file in conflict is left out of the first."""
    merged: dict[str, bytes | None] = {}
    conflicts = []
    for path in sorted({*base, *mine, *theirs}):
        three = base.get(path), mine.get(path), theirs.get(path)
        found = merge_file(*three)
        if not found.hunks and found.with_mine not in three and not _is_readable(path, found.with_mine):
            whole = Hunk(*((each or b"").decode() for each in three))
            found = MergeResult(three[1], three[2], [whole])
        if found.hunks and path.startswith("items/") and is_clean_union(found.union, *three):
            found = MergeResult(found.union, found.union)
        if found.hunks:
            with_mine, with_theirs = found.with_mine, found.with_theirs
            if not _is_readable(path, with_mine) or not _is_readable(path, with_theirs):
                with_mine, with_theirs = three[1], three[2]
            conflicts.append(MergeConflict(path, *three, with_mine, with_theirs, found.hunks))
        else:
            merged[path] = found.with_mine
    return merged, conflicts


def merge_cleanly(path: str, base: bytes | None, mine: bytes, theirs: bytes | None) -> bytes | None:
    """One file with what both sides changed; None where they changed one place, or where one has no file."""
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
        kept = base[at : group.start]
        one, other = _side_lines(base, group, group.mine), _side_lines(base, group, group.theirs)
        if group.mine and group.theirs and one != other:
            hunks.append(Hunk(*map("".join, (base[group.start : group.end], one, other))))
        elif not group.mine:
            one = other
        else:
            other = one
        with_mine += kept + one
        with_theirs += kept + other
        joined += kept + (one if one == other else one + other)
        at = group.end
    ours, others, both = (_join_lines([*side, *base[at:]]) for side in (with_mine, with_theirs, joined))
    return MergeResult(ours, others, hunks, both if not any(hunk.base for hunk in hunks) else None)


def _side_changes(base: Lines, side: Lines) -> list[_SideChange]:
    return [_SideChange(start, end, side[k:m]) for start, end, k, m in diff_lines(base, side)]


def _group_changes(mine: Sequence[_SideChange], theirs: Sequence[_SideChange]) -> list[_ChangeGroup]:
    """The changes of both sides in order; those that meet are one group."""
    found: list[_ChangeGroup] = []
    sided = [(change, True) for change in mine] + [(change, False) for change in theirs]
    for change, ours in sorted(sided, key=lambda each: (each[0].start, each[0].end, not each[1])):
        if not found or not any(
            _changes_overlap(other, change) for other in found[-1].mine + found[-1].theirs
        ):
            found.append(_ChangeGroup(change.start, change.end))
        group = found[-1]
        group.end = max(group.end, change.end)
        (group.mine if ours else group.theirs).append(change)
    return found


def _changes_overlap(one: _SideChange, other: _SideChange) -> bool:
    """Whether they share a line of the base, or touch where one of them only puts lines in."""
    if max(one.start, other.start) < min(one.end, other.end):
        return True
    only_put = one.start == one.end or other.start == other.end
    return only_put and one.start <= other.end and other.start <= one.end


def _side_lines(base: Lines, group: _ChangeGroup, changed: Sequence[_SideChange]) -> Lines:
    """What one side has in the place of the group's lines."""
    lines: Lines = []
    at = group.start
    for change in changed:
        lines += base[at : change.start] + change.new
        at = change.end
    return lines + base[at : group.end]


def _decode_text(content: bytes | None) -> str | None:
    """The text; None for no file, and for what is no text."""
    if content is None or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _split_lines(text: str) -> Lines:
    return [f"{line}\n" for line in text.split("\n")]  # the last one has its line feed lent


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
