"""Three-way merge of folders: what one side changed is taken, what both changed is left to the author.

A file is compared part by part: the questions of a bank, the keys of other TOML and of front matter, the text
below and its checks. A file of another kind, that cannot be read, or that a side has removed is one part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.errors import UnreadableFileError
from portal.domain.authoring.files import check_blocks, fold_checks, split_file, unfold_checks
from portal.platform.formats.toml_writer import format_toml, parse_toml

WHOLE_FILE = ""
TEXT_PART = "text below"  # the front matter; with a blank, which no key of a file has
CHECK_PART = "check "  # and its key
QUESTION_PART = "question "  # and its key

Parts = dict[str, Any]  # values by name


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A part that both sides changed differently."""

    path: str
    part: str  # its name, or ``WHOLE_FILE``
    mine: Any  # the draft's; None: there is none
    theirs: Any  # the published version's; None: there is none

    @property
    def name(self) -> str:
        """By which a choice names it."""
        return f"{self.path} {self.part}".rstrip()


def merge_parts(base: Parts, mine: Parts, theirs: Parts) -> tuple[Parts, list[str]]:
    """The parts as they are after both changes, and the names of those that both changed differently.

    Those are as in ``mine``. The order is that of the side that changed it; if both did, mine.
    """
    merged: Parts = {}
    clashing = []
    is_moved = [name for name in mine if name in base] != [name for name in base if name in mine]
    first, second = (mine, theirs) if is_moved else (theirs, mine)
    for name in first | second:
        was, my_value, their_value = base.get(name), mine.get(name), theirs.get(name)
        if was != my_value != their_value != was:
            clashing.append(name)
        value = their_value if my_value == was else my_value
        if value is not None:
            merged[name] = value
    return merged, clashing


def merge_folders(
    base: Mapping[str, bytes],
    mine: Mapping[str, bytes],
    theirs: Mapping[str, bytes],
    keeps_mine: Mapping[str, bool] | None = None,
) -> tuple[dict[str, bytes | None], list[MergeConflict]]:
    """Every file after both changes by path, None for none, and the conflicts that are not decided.

    Args:
        base: The files that both sides began with, by path.
        mine: The draft's files.
        theirs: The published version's files.
        keeps_mine: For the name of a conflict, whether the draft's part is kept or the published one.
    """
    merged: dict[str, bytes | None] = {}
    conflicts: list[MergeConflict] = []
    for path in sorted({*base, *mine, *theirs}):
        sides = base.get(path), mine.get(path), theirs.get(path)
        merged[path], found = _merge_file(path, *sides, keeps_mine or {})
        conflicts += found
    return merged, conflicts


def merge_cleanly(path: str, base: bytes | None, mine: bytes, theirs: bytes | None) -> bytes | None:
    """Merge one file; None where it conflicts, or where the base or the other side has no such file."""
    if base is None or theirs is None:
        return None
    merged, conflicts = _merge_file(path, base, mine, theirs, {})
    return None if conflicts else merged


def _merge_file(
    path: str,
    base: bytes | None,
    mine: bytes | None,
    theirs: bytes | None,
    keeps_mine: Mapping[str, bool],
) -> tuple[bytes | None, list[MergeConflict]]:
    if mine == theirs or theirs == base:
        return mine, []
    if mine == base:
        return theirs, []
    sides = [_split_parts(path, content) for content in (base or b"", mine, theirs)]
    is_split = None not in sides
    if not is_split:
        sides = [{WHOLE_FILE: content} for content in (base, mine, theirs)]
    base_parts, my_parts, their_parts = (side or {} for side in sides)
    merged, clashing = merge_parts(base_parts, my_parts, their_parts)
    conflicts = []
    for part in clashing:
        conflict = MergeConflict(path, part, my_parts.get(part), their_parts.get(part))
        if conflict.name not in keeps_mine:
            conflicts.append(conflict)
        elif not keeps_mine[conflict.name]:
            merged[part] = conflict.theirs
    merged = {part: value for part, value in merged.items() if value is not None}
    if not is_split:
        return merged.get(WHOLE_FILE), conflicts
    if path.endswith(".md"):
        return _join_page(merged, mine or b"", theirs or b""), conflicts
    return _join_tables(path, merged), conflicts


def _split_parts(path: str, content: bytes | None) -> Parts | None:
    """The parts of a file by name; None where it is one part."""
    if content is None or path.startswith("media/"):
        return None
    try:
        if path.endswith(".md"):
            page = split_file(content)
            checks = {f"{CHECK_PART}{key}": block for key, block in check_blocks(page.body).items()}
            return parse_toml(page.front) | {TEXT_PART: fold_checks(page.body)} | checks
        parts = parse_toml(content.decode())
    except (UnreadableFileError, ValueError):
        return None
    if not path.startswith("items/"):
        return parts
    rows = parts.pop("item", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    questions = {f"{QUESTION_PART}{row['key']}": row for row in rows if isinstance(row.get("key"), str)}
    return parts | questions if len(questions) == len(rows) else None


def _join_page(parts: Parts, mine: bytes, theirs: bytes) -> bytes:
    """The page with these parts and the blank lines of mine; a check that the text alone kept stays."""
    front = {
        name: value for name, value in parts.items() if name != TEXT_PART and not name.startswith(CHECK_PART)
    }
    body = parts.get(TEXT_PART, "")
    page = split_file(mine)
    blocks = "\n\n".join(value for name, value in parts.items() if name.startswith(CHECK_PART))
    for source in (blocks, page.body, split_file(theirs).body):
        body = unfold_checks(body, source)
    return "".join((page.opening, format_toml(front), page.closing, body, page.ending)).encode()


def _join_tables(path: str, parts: Parts) -> bytes | None:
    """The TOML with these parts; None for a bank without questions."""
    if not path.startswith("items/"):
        return format_toml(parts).encode()
    items = [value for name, value in parts.items() if name.startswith(QUESTION_PART)]
    others = {name: value for name, value in parts.items() if not name.startswith(QUESTION_PART)}
    return format_toml(others | {"item": items}).encode() if items else None
