"""Three-way merging of files: what only one side changed is taken, what both changed apart is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Conflict:
    """One file in which both sides changed the same place."""

    path: str
    base: bytes | None
    mine: bytes | None  # the draft's file; None: it has none
    theirs: bytes | None  # the published version's
    with_mine: bytes | None  # everything merged, and where both changed one place, the draft's
    with_theirs: bytes | None  # the same with the published version's
    hunks: list[Hunk]  # empty where the whole file is the place: taken out by one side, or no text


def merge(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> Merged:
    """Merge one file; None: there is no such file."""
    if mine == theirs or theirs == base:
        return Merged(mine, mine)
    if mine == base:
        return Merged(theirs, theirs)
    return Merged(mine, theirs, [Hunk("", "", "")])


def merge_folders(
    base: Mapping[str, bytes], mine: Mapping[str, bytes], theirs: Mapping[str, bytes]
) -> tuple[dict[str, bytes | None], list[Conflict]]:
    """Every file merged, by path, and the conflicts; a file in conflict is left out of the first."""
    merged: dict[str, bytes | None] = {}
    conflicts = []
    for path in sorted({*base, *mine, *theirs}):
        three = base.get(path), mine.get(path), theirs.get(path)
        found = merge(*three)
        if found.conflicts:
            conflicts.append(Conflict(path, *three, found.content, found.other, found.conflicts))
        else:
            merged[path] = found.content
    return merged, conflicts
