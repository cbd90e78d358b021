"""A value of a TOML text made to say something else: what it holds and says the same keeps its characters."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.list_alignment import align_lists
from portal.domain.authoring.editing.text_normalisation import is_empty_value, is_same_value
from portal.domain.authoring.editing.toml_scanner import TomlValue
from portal.domain.authoring.editing.toml_strings import rewrite_string


def rewrite_value(text: str, value: TomlValue, old: Any, new: Any, *, inside: bool = False) -> str:
    """What to write in the place of ``value``, which says ``old``, so that it says ``new``.

    Args:
        text: The whole text.
        value: Where the value stands in it.
        old: What it says.
        new: What it shall say.
        inside: Whether it stands in an array or an inline table.
    """
    raw = text[value.start : value.end]
    if is_same_value(old, new):
        return raw
    if isinstance(old, str) and isinstance(new, str):
        return rewrite_string(raw, old, new, inside=inside)
    if isinstance(old, list) and isinstance(new, list) and value.elements and new:
        return _rewrite_array(text, value, old, new)
    if isinstance(old, dict) and isinstance(new, dict) and value.members:
        return _rewrite_inline_table(text, value, old, new)
    return toml_writer.format_nested_value(new) if inside else toml_writer.format_value(new)


def _rewrite_inline_table(text: str, value: TomlValue, old: dict[str, Any], new: dict[str, Any]) -> str:
    if any(len(member.key_path) > 1 for member in value.members):
        return toml_writer.format_value(new)
    held = {member.key_path[0]: member for member in value.members}
    written = []
    for key, member in held.items():
        if key in new or is_empty_value(old[key]):
            said = rewrite_value(text, member.value, old[key], new.get(key, old[key]), inside=True)
            written.append(text[member.start : member.value.start] + said)
    written += [
        f"{toml_writer.format_key(key)} = {toml_writer.format_nested_value(each)}"
        for key, each in new.items()
        if key not in held and not is_empty_value(each)
    ]
    opening = text[value.start : value.members[0].start]
    closing = text[value.members[-1].value.end : value.end]
    return f"{opening}{', '.join(written)}{closing}" if written else "{}"


def _rewrite_array(text: str, value: TomlValue, old: list[Any], new: list[Any]) -> str:
    at = align_lists(old, new)
    said = [
        toml_writer.format_nested_value(each)
        if index is None
        else rewrite_value(text, value.elements[index], old[index], each, inside=True)
        for each, index in zip(new, at, strict=True)
    ]
    if _has_one_per_line(text, value):
        return _rewrite_array_lines(text, value, at, said)
    return _rewrite_array_row(text, value, at, said)


def _has_one_per_line(text: str, value: TomlValue) -> bool:
    """Whether each element begins a line of its own and its comma stands on the line on which it ends."""
    bounds = [value.start, *(each.end for each in value.elements)]
    before = [text[end : each.start] for end, each in zip(bounds, value.elements, strict=False)]
    return all("\n" in between for between in before) and all(
        between.lstrip(" \t").startswith(",") for between in before[1:]
    )


def _rewrite_array_lines(text: str, value: TomlValue, at: Sequence[int | None], said: Sequence[str]) -> str:
    """Lines are put together anew: an element takes the lines above it and the comment behind it along."""
    heads, tails, commas = [], [], []
    end = text.index("\n", value.start) + 1
    opening = text[value.start : end]
    for element in value.elements:
        heads.append(text[end : element.start])
        end = min(text.find("\n", element.end) + 1 or value.end, value.end)
        behind = text[element.end : end]
        commas.append(behind.lstrip(" \t").startswith(","))
        tails.append(behind.replace(",", "", 1) if commas[-1] else behind)
    if not tails[-1].endswith("\n"):  # the bracket stands behind the last element
        end = value.elements[-1].end
        tails[-1] = ""
    indent = heads[0].rpartition("\n")[2]
    written = []
    for place, (index, each) in enumerate(zip(at, said, strict=True)):
        head, tail = (indent, "\n") if index is None else (heads[index], tails[index] or "\n")
        last = place == len(said) - 1
        comma = "," if not last or commas[-1] else ""
        written.append(f"{head}{each}{comma}{tail}")
    if not tails[-1]:
        written[-1] = written[-1].removesuffix("\n")
    return f"{opening}{''.join(written)}{text[end : value.end]}"


def _rewrite_array_row(text: str, value: TomlValue, at: Sequence[int | None], said: Sequence[str]) -> str:
    """Elements take the places that are there; what stands between places stays."""
    between = [text[one.end : other.start] for one, other in pairwise(value.elements)]
    places = sorted(index for index in at if index is not None)
    join = between[0] if between and "#" not in between[0] else ", "
    opening = text[value.start : value.elements[0].start]
    closing = text[value.elements[-1].end : value.end]
    if not places:
        return f"{opening}{join.join(said)}{closing}"
    seams = iter([*(between[index] for index in places[:-1])])
    written, seen = said[0], at[0] is not None
    for index, each in zip(at[1:], said[1:], strict=True):
        seam = next(seams, join) if index is not None and seen else join
        seen = seen or index is not None
        written += seam + each
    return f"{opening}{written}{closing}"
