"""The self-checks of a lesson's text: blocks ``::: check`` of TOML, which authors edit by a form.

The editor of a lesson shows each check folded, as two lines that name its key::

    ::: check check-lena
    :::

So an author can move it as a whole and need not read TOML. Unfolding puts its own lines back, to the byte.
A check that a form could not save again, such as one with faulty TOML, is never folded.
"""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.toml_patch import parse_toml, rewrite_toml
from portal.domain.catalogue.markdown.containers import find_check_lines
from portal.platform.errors import NotFoundError, RuleError

Table = dict[str, Any]
UNREADABLE = (
    "This check cannot be saved like this: a line that begins with ::: has no partner. Remove the line, or"
    " close the box that it opens."
)
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*")
_FOLDED = re.compile(rf"^::: check[ \t]+({_KEY.pattern})[ \t]*\n(?:[ \t]*\n)*:::[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LessonCheck:
    """One check of a text, with the lines that it takes."""

    key: str
    table: Table
    first: int  # its line ::: check, from 0
    last: int  # its line :::


def read_checks(body: str) -> list[LessonCheck]:
    """The checks that can be edited by a form, in order."""
    lines = body.split("\n")
    checks = [_read_check(lines, first, last) for first, last in find_check_lines(body)]
    keys = [check.key for check in checks if check]
    return [check for check in checks if check and keys.count(check.key) == 1]


def find_check(body: str, key: str) -> LessonCheck:
    """The check with this key.

    Raises:
        NotFoundError: There is none that a form can edit.
    """
    for check in read_checks(body):
        if check.key == key:
            return check
    raise NotFoundError(f"This lesson has no check “{key}”.")


def fold_checks(body: str, saved: str | None = None) -> str:
    """The text with checks as two lines each.

    Args:
        body: The text.
        saved: The text from which they will be unfolded, if another: only checks that are the same in both
            are folded.
    """
    lines = body.split("\n")
    blocks = _foldable_blocks(body if saved is None else saved)
    for check in reversed(read_checks(body)):
        if blocks.get(check.key) == "\n".join(lines[check.first : check.last + 1]):
            lines[check.first : check.last + 1] = [f"::: check {check.key}", ":::"]
    return "\n".join(lines)


def unfold_checks(folded: str, body: str) -> str:
    """The text with the lines of each folded check as they are in ``body``; unknown keys stay folded."""
    blocks = _foldable_blocks(body)
    return _FOLDED.sub(lambda match: blocks.get(match[1], match[0]), folded)


def _foldable_blocks(body: str) -> dict[str, str]:
    """The lines of each check by its key, without keys that the text itself has in two lines."""
    lines, taken = body.split("\n"), set(_FOLDED.findall(body))
    checks = [check for check in read_checks(body) if check.key not in taken]
    return {check.key: "\n".join(lines[check.first : check.last + 1]) for check in checks}


def unknown_checks(folded: str, keys: Collection[str]) -> list[str]:
    """The keys that folded checks of the text name and that are not among ``keys``, each once."""
    return [key for key in dict.fromkeys(_FOLDED.findall(folded)) if key not in keys]


def write_check(body: str, key: str, table: Table) -> str:
    """The text with other values for a check; only lines that say something else change.

    Raises:
        NotFoundError: There is no such check.
        RuleError: A line of the check's texts would end it early.
    """
    check = find_check(body, key)
    lines = body.split("\n")
    toml = "".join(f"{line}\n" for line in lines[check.first + 1 : check.last])
    new_toml = rewrite_toml(toml, table)
    if new_toml == toml:
        return body
    lines[check.first + 1 : check.last] = new_toml.removesuffix("\n").split("\n")
    return _require_check("\n".join(lines), table)


def add_check(body: str, table: Table) -> str:
    """The text with a new check after its last line.

    Raises:
        RuleError: A line of the check's texts would end it early.
    """
    above = body.rstrip("\n")
    block = f"::: check\n{toml_writer.format_members(table).strip(chr(10))}\n:::"
    return _require_check(f"{above}\n\n{block}" if above.strip() else block, table)


def remove_check(body: str, key: str) -> str:
    """The text without a check and the blank lines above it.

    Raises:
        NotFoundError: There is no such check.
    """
    check = find_check(body, key)
    lines = body.split("\n")
    above = "\n".join(lines[: check.first]).rstrip("\n")
    below = "\n".join(lines[check.last + 1 :]).strip("\n")
    return "\n\n".join(filter(None, (above, below)))


def free_key(body: str) -> str:
    """A key for a new check that no check of the text has."""
    number = 1
    while f'"check-{number}"' in body or f"check-{number}\n" in f"{body}\n":
        number += 1
    return f"check-{number}"


def _read_check(lines: list[str], first: int, last: int) -> LessonCheck | None:
    try:
        table = parse_toml("\n".join(lines[first + 1 : last]))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    key = table.get("key")
    return LessonCheck(key, table, first, last) if isinstance(key, str) and _KEY.fullmatch(key) else None


def _require_check(body: str, table: Table) -> str:
    if not any(check.key == table["key"] for check in read_checks(body)):
        raise RuleError(UNREADABLE)
    return body
