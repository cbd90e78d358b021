"""Checks JSON by a JSON Schema (2020-12), as far as the portal's own schemas go. Pure.

The words understood are ``type``, ``const``, ``enum``, ``pattern``, ``minLength``, ``maxLength``,
``minimum``, ``maximum``, ``properties``, ``required``, ``additionalProperties: false``, ``items``,
``minItems``, ``maxItems`` and ``$ref`` within the schema; patterns begin with ``^`` and end with ``$``. A
schema with another word is refused, so that nothing is left unchecked.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
MOST_FAULTS = 20
_WORDS = frozenset(
    {"type", "const", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "properties"}
    | {"required", "additionalProperties", "items", "minItems", "maxItems", "$ref"}
)
_NOTES = frozenset({"$schema", "$id", "$defs", "title", "description"})
_TYPES: dict[str, tuple[type, str]] = {
    "object": (dict, "an object"),
    "array": (list, "a list"),
    "string": (str, "a text"),
    "integer": (int, "a whole number"),
    "null": (type(None), "null"),
}


def list_schema_faults(value: Any, schema: Schema) -> list[str]:
    """What is wrong with a value, a sentence each, at most ``MOST_FAULTS``; empty: it fits its schema.

    Raises:
        ValueError: The schema has a word that is not understood.
    """
    faults = []
    for place, said in _find_faults(value, schema, "", schema):
        faults.append(f"{place or 'The file'}: {said}.")
        if len(faults) == MOST_FAULTS:
            break
    return faults


def _find_faults(value: Any, schema: Schema, place: str, root: Schema) -> Iterator[tuple[str, str]]:
    if unknown := schema.keys() - _WORDS - _NOTES:
        raise ValueError(f"Not understood: {', '.join(sorted(unknown))}")
    if "$ref" in schema:
        yield from _find_faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], place, root)
    if "type" in schema and not _has_type(value, schema["type"]):
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        yield place, f"must be {' or '.join(_TYPES[name][1] for name in names)}"
        return
    known = [schema["const"]] if "const" in schema else schema.get("enum", [value])
    if not any(type(value) is type(each) and value == each for each in known):
        yield place, f"must be {' or '.join(f'“{each}”' for each in known)}"
    if isinstance(value, dict):
        yield from _find_object_faults(value, schema, place, root)
    elif isinstance(value, list):
        yield from _find_list_faults(value, schema, place, root)
    else:
        yield from _find_value_faults(value, schema, place)


def _has_type(value: Any, names: str | list[str]) -> bool:
    """Whether a value is of one of the types; true and false are no numbers, and neither is 1.0."""
    known = [_TYPES[name][0] for name in ([names] if isinstance(names, str) else names)]
    return not isinstance(value, bool) and isinstance(value, tuple(known))


def _find_value_faults(value: Any, schema: Schema, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
        if not least <= len(value) <= most:
            yield place, f"must have {least} to {most} characters"
        if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
            yield place, "is not written as it must be"
    elif isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield place, "is too small or too large"


def _find_object_faults(
    value: dict[str, Any], schema: Schema, place: str, root: Schema
) -> Iterator[tuple[str, str]]:
    properties: Schema = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _join_place(place, name), "is missing"
    for name, held in value.items():
        if name in properties:
            yield from _find_faults(held, properties[name], _join_place(place, name), root)
        elif schema.get("additionalProperties") is False:
            yield _join_place(place, name[:60]), "is not a part of it"


def _find_list_faults(
    value: list[Any], schema: Schema, place: str, root: Schema
) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not least <= len(value) <= most:
        yield place, f"must have {least} to {most} entries"
        return
    for number, held in enumerate(value, start=1):
        yield from _find_faults(held, schema.get("items", {}), f"{place} {number}", root)


def _join_place(place: str, name: str) -> str:
    return f"{place}, {name}" if place else name
