"""Three-way merging of files: what only one side changed is taken, what both changed apart is asked.

Texts are merged line by line. Two changes meet where they share a line, or where one puts lines at the edge
of the other: which comes first is then for a person to say, but for whole items, which both stay. A merged
TOML that cannot be read any more is no merge.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from portal.domain.authoring.editing.added_items import holds_both
from portal.domain.authoring.editing.line_diff import changes

Lines = list[str]


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place that both sides changed, each in its own way."""

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of merging one file."""

    content: bytes | None  # where both changed one place: as mine; None: no file
    other: bytes | None  # the same, where both changed one place: as theirs
    conflicts: list[Hunk] = field(default_factory=list)
    joined: bytes | None = None  # where all that both did was to put lines in: mine, then theirs


@dataclass(frozen=True, slots=True)
class Conflict:
    """One file in which both sides changed the same place."""

    path: str
    base: bytes | None
    mine: bytes | None  # the draft's file; None: it has none
    theirs: bytes | None  # the published version's
    with_mine: bytes | None  # everything merged, and where both changed one place, the draft's
    with_theirs: bytes | None  # the same with the published version's
    hunks: list[Hunk]  # a single one with all of both where the file cannot be merged by lines


class _Change(NamedTuple):
    """Lines ``start`` to ``end`` of the base, and what one side has in their place."""

    start: int
    end: int
    new: Lines


@dataclass(slots=True)
class _Group:
    """Changes that meet, and the lines of the base that they cover."""

    start: int
    end: int
    mine: list[_Change] = field(default_factory=list)
    theirs: list[_Change] = field(default_factory=list)


def merge(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> Merged:
    """Merge one file; None: there is no such file."""
    if mine == theirs or theirs == base:
        return Merged(mine, mine)
    if mine == base:
        return Merged(theirs, theirs)
    texts = [_text(each) for each in (base, mine, theirs)]
    if None in texts:
        return Merged(mine, theirs, [Hunk(*("" if each is None else each for each in texts))])
    return _merge_lines(*(_lines(each or "") for each in texts))


def merge_folders(
    base: Mapping[str, bytes], mine: Mapping[str, bytes], theirs: Mapping[str, bytes]
) -> tuple[dict[str, bytes | None], list[Conflict]]:
    """Every file merged, by path, and the conflicts; a file in conflict is left out of the first."""
    merged: dict[str, bytes | None] = {}
    conflicts = []
    for path in sorted({*base, *mine, *theirs}):
        three = base.get(path), mine.get(path), theirs.get(path)
        found = merge(*three)
        if not found.conflicts and found.content not in three and not _readable(path, found.content):
            whole = Hunk(*((each or b"").decode() for each in three))
            found = Merged(three[1], three[2], [whole])
        if found.conflicts and path.startswith("items/") and holds_both(found.joined, *three):
            found = Merged(found.joined, found.joined)
        if found.conflicts:
            with_mine, with_theirs = found.content, found.other
            if not _readable(path, with_mine) or not _readable(path, with_theirs):
                with_mine, with_theirs = three[1], three[2]
            conflicts.append(Conflict(path, *three, with_mine, with_theirs, found.conflicts))
        else:
            merged[path] = found.content
    return merged, conflicts


def both(path: str, base: bytes | None, mine: bytes, theirs: bytes | None) -> bytes | None:
    """One file with what both sides changed; None where they changed one place, or where one has no file."""
    if base is None or theirs is None:
        return None
    merged, conflicts = merge_folders({path: base}, {path: mine}, {path: theirs})
    return None if conflicts else merged[path]


def _merge_lines(base: Lines, mine: Lines, theirs: Lines) -> Merged:
    with_mine: Lines = []
    with_theirs: Lines = []
    joined: Lines = []
    hunks = []
    at = 0
    for group in _groups(_changes(base, mine), _changes(base, theirs)):
        kept = base[at : group.start]
        one, other = _side(base, group, group.mine), _side(base, group, group.theirs)
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
    ours, others, both = (_joined([*side, *base[at:]]) for side in (with_mine, with_theirs, joined))
    return Merged(ours, others, hunks, both if not any(hunk.base for hunk in hunks) else None)


def _changes(base: Lines, side: Lines) -> list[_Change]:
    return [_Change(start, end, side[k:m]) for start, end, k, m in changes(base, side)]


def _groups(mine: Sequence[_Change], theirs: Sequence[_Change]) -> list[_Group]:
    """The changes of both sides in order; those that meet are one group."""
    found: list[_Group] = []
    sided = [(change, True) for change in mine] + [(change, False) for change in theirs]
    for change, ours in sorted(sided, key=lambda each: (each[0].start, each[0].end, not each[1])):
        if not found or not any(_meet(other, change) for other in found[-1].mine + found[-1].theirs):
            found.append(_Group(change.start, change.end))
        group = found[-1]
        group.end = max(group.end, change.end)
        (group.mine if ours else group.theirs).append(change)
    return found


def _meet(one: _Change, other: _Change) -> bool:
    """Whether they share a line of the base, or touch where one of them only puts lines in."""
    if max(one.start, other.start) < min(one.end, other.end):
        return True
    only_put = one.start == one.end or other.start == other.end
    return only_put and one.start <= other.end and other.start <= one.end


def _side(base: Lines, group: _Group, changed: Sequence[_Change]) -> Lines:
    """What one side has in the place of the group's lines."""
    lines: Lines = []
    at = group.start
    for change in changed:
        lines += base[at : change.start] + change.new
        at = change.end
    return lines + base[at : group.end]


def _text(content: bytes | None) -> str | None:
    """The text; None for no file, and for what is no text."""
    if content is None or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _lines(text: str) -> Lines:
    return [f"{line}\n" for line in text.split("\n")]  # the last one has its line feed lent


def _joined(lines: Lines) -> bytes:
    return "".join(lines)[:-1].encode()


def _readable(path: str, content: bytes | None) -> bool:
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
