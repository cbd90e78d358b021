"""Checks JSON by a JSON Schema (2020-12)."""

from itertools import islice
from typing import Any

Schema = dict[str, Any]
MOST_FAULTS = 20


def list_schema_faults(value: Any, schema: Schema) -> list[str]:
    """What is wrong with a value, a sentence each, at most ``MOST_FAULTS``; empty: it fits its schema.

    Each begins with where it is, counting entries of lists from 1: "figures 3, assigned: …". The value itself
    is not quoted, since it may be long.
    """
    import jsonschema_rs  # 7 MiB, for whoever receives files of others

    validator = jsonschema_rs.Draft202012Validator(schema, mask="it")
    faults = islice(validator.iter_errors(value), MOST_FAULTS)
    return [f"{_name_place(fault.instance_path)}: {fault.message}." for fault in faults]


def _name_place(path: list[str | int]) -> str:
    place = ""
    for step in path:
        place += f" {step + 1}" if isinstance(step, int) else f", {step[:60]}"
    return place.removeprefix(", ").strip() or "The file"
