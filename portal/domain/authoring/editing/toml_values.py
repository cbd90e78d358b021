"""Rewrites a value in a TOML text; unchanged parts of an array or inline table keep their characters."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.list_alignment import align_lists
from portal.domain.authoring.editing.text_normalisation import is_empty_value, is_same_value
from portal.domain.authoring.editing.toml_scanner import TomlValue
from portal.domain.authoring.editing.toml_strings import rewrite_string


def rewrite_value(text: str, value: TomlValue, old: Any, new: Any, *, inside: bool = False) -> str:
    """The text to write in place of ``value``, so that it changes from ``old`` to ``new``.

    Args:
        text: The whole text.
        value: The value's span in it.
        old: Its data.
        new: Its new data.
        inside: Whether it is part of an array or an inline table.
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
    old_members = {member.key_path[0]: member for member in value.members}
    written_members = []
    for key, member in old_members.items():
        if key in new or is_empty_value(old[key]):
            new_text = rewrite_value(text, member.value, old[key], new.get(key, old[key]), inside=True)
            written_members.append(text[member.start : member.value.start] + new_text)
    written_members += [
        f"{toml_writer.format_key(key)} = {toml_writer.format_nested_value(member_value)}"
        for key, member_value in new.items()
        if key not in old_members and not is_empty_value(member_value)
    ]
    opening = text[value.start : value.members[0].start]
    closing = text[value.members[-1].value.end : value.end]
    return f"{opening}{', '.join(written_members)}{closing}" if written_members else "{}"


def _rewrite_array(text: str, value: TomlValue, old: list[Any], new: list[Any]) -> str:
    old_indices = align_lists(old, new)
    element_texts = [
        toml_writer.format_nested_value(element)
        if index is None
        else rewrite_value(text, value.elements[index], old[index], element, inside=True)
        for element, index in zip(new, old_indices, strict=True)
    ]
    if _has_one_per_line(text, value):
        return _rewrite_array_lines(text, value, old_indices, element_texts)
    return _rewrite_array_row(text, value, old_indices, element_texts)


def _has_one_per_line(text: str, value: TomlValue) -> bool:
    """Whether each element begins its own line and has its comma on the line where it ends."""
    bounds = [value.start, *(element.end for element in value.elements)]
    before = [text[end : element.start] for end, element in zip(bounds, value.elements, strict=False)]
    return all("\n" in between for between in before) and all(
        between.lstrip(" \t").startswith(",") for between in before[1:]
    )


def _rewrite_array_lines(
    text: str, value: TomlValue, old_indices: Sequence[int | None], element_texts: Sequence[str]
) -> str:
    """Rewrite an array line by line; an element moves with the lines above it and the comment after it."""
    heads, tails, commas = [], [], []
    end = text.index("\n", value.start) + 1
    opening = text[value.start : end]
    for element in value.elements:
        heads.append(text[end : element.start])
        end = min(text.find("\n", element.end) + 1 or value.end, value.end)
        remainder = text[element.end : end]
        commas.append(remainder.lstrip(" \t").startswith(","))
        tails.append(remainder.replace(",", "", 1) if commas[-1] else remainder)
    if not tails[-1].endswith("\n"):  # the closing bracket is on the last element's line
        end = value.elements[-1].end
        tails[-1] = ""
    indent = heads[0].rpartition("\n")[2]
    lines = []
    for place, (index, element_text) in enumerate(zip(old_indices, element_texts, strict=True)):
        head, tail = (indent, "\n") if index is None else (heads[index], tails[index] or "\n")
        last = place == len(element_texts) - 1
        comma = "," if not last or commas[-1] else ""
        lines.append(f"{head}{element_text}{comma}{tail}")
    if not tails[-1]:
        lines[-1] = lines[-1].removesuffix("\n")
    return f"{opening}{''.join(lines)}{text[end : value.end]}"


def _rewrite_array_row(
    text: str, value: TomlValue, old_indices: Sequence[int | None], element_texts: Sequence[str]
) -> str:
    """Rewrite an array in one row; the separators between existing positions are kept."""
    separators = [text[first.end : second.start] for first, second in pairwise(value.elements)]
    places = sorted(index for index in old_indices if index is not None)
    separator = separators[0] if separators and "#" not in separators[0] else ", "
    opening = text[value.start : value.elements[0].start]
    closing = text[value.elements[-1].end : value.end]
    if not places:
        return f"{opening}{separator.join(element_texts)}{closing}"
    old_separators = iter([*(separators[index] for index in places[:-1])])
    row, old_seen = element_texts[0], old_indices[0] is not None
    for index, element_text in zip(old_indices[1:], element_texts[1:], strict=True):
        joint = next(old_separators, separator) if index is not None and old_seen else separator
        old_seen = old_seen or index is not None
        row += joint + element_text
    return f"{opening}{row}{closing}"
