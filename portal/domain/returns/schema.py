"""The JSON Schema of returns, published at /returns/schema.json: receivers check by it, and so does a force.

A change that a reader of today's files would notice needs another ``FORMAT``.
"""

from itertools import islice
from typing import Any

from portal.domain.returns.content import COUNTS, FORMAT, GROUPINGS

Schema = dict[str, Any]

MOST_FAULTS = 20  # of one file
MOST_PEOPLE = 1_000_000
MOST_NUMBER = 1_000
LONGEST_LINE = 200
LONGEST_TEXT = 2_000
# Neither control characters nor invisible ones, so that two terms that look alike are the same term.
_UNSEEN = "\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff"
_PRINTED = f"^[^\\x00-\\x1f\\x7f-\\x9f{_UNSEEN}]*$"
REQUIREMENT = "^(?:module|event|guide):[a-z0-9-]{1,60}$"
PERIOD = "^20[0-9]{2}-(?:0[1-9]|1[0-2])$"
_INSTANT = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,6})?Z$"


def _make_object(heading: str, /, **properties: Any) -> dict[str, Any]:
    return {
        "title": heading,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _make_line(description: str, least: int = 1, most: int = LONGEST_LINE) -> dict[str, Any]:
    return {
        "description": description,
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "pattern": _PRINTED,
    }


def _make_list(items: dict[str, Any], least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


_COUNT = {"$ref": "#/$defs/count"}
_NAME = {"type": "string", "pattern": "^[a-z0-9]+(?:-[a-z0-9]+)*$", "maxLength": 60}

RETURN_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "A signed return of a force: people by requirement, role and rank, for one month.",
    "$defs": {
        "count": {
            "description": "A number of people; null is hidden.",
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": MOST_PEOPLE,
        }
    },
    **_make_object(
        "Return",
        format={"const": FORMAT},
        force=_make_object("Force", key=_NAME, name=_make_line("Its name.")),
        period={"description": "The month.", "type": "string", "pattern": PERIOD},
        number={
            "description": "1 for the first return of a period; each correction has the next.",
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_NUMBER,
        },
        reason=_make_line("Why a correction is made; empty in the first return.", 0, 500),
        as_at={
            "description": "The last day of the period.",
            "type": "string",
            "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$",
        },
        as_known_on={
            "description": "Nothing that was recorded later is counted.",
            "type": "string",
            "pattern": _INSTANT,
        },
        directive=_make_object(
            "Directive",
            reference=_make_line("Its reference."),
            title=_make_line("Its title.", most=LONGEST_TEXT),
            version={"type": "integer", "minimum": 1, "maximum": 1_000_000},
        ),
        threshold={
            "description": "The share that the force aims at, from 0 to 1.",
            "type": "string",
            "pattern": "^(?:0(?:\\.[0-9]{1,4})?|1(?:\\.0{1,4})?)$",
        },
        population=_make_line("To whom the directive applies.", most=LONGEST_TEXT),
        small_number={
            "description": "Numbers are multiples of it, or null where hidden. Null: all are as they are.",
            "type": ["integer", "null"],
            "minimum": 3,
            "maximum": 100,
        },
        definitions=_make_list(
            _make_object(
                "Definition",
                term=_make_line("A word."),
                meaning=_make_line("What it means.", most=LONGEST_TEXT),
            ),
            1,
            100,
        ),
        requirements=_make_list(
            _make_object(
                "Requirement",
                key={"type": "string", "pattern": REQUIREMENT},
                title=_make_line("Its title.", most=LONGEST_TEXT),
            ),
            1,
            100,
        ),
        figures=_make_list(
            _make_object(
                "Counts of one group",
                requirement={
                    "description": "Kind and key of a requirement; empty for the whole directive.",
                    "type": "string",
                    "pattern": f"^(?:{REQUIREMENT.removeprefix('^').removesuffix('$')})?$",
                },
                grouping={"enum": list(GROUPINGS)},
                group=_make_line("The role, rank or grade; empty for the force.", 0),
                **dict.fromkeys(COUNTS, _COUNT),
            ),
            1,
            20_000,
        ),
        signature=_make_object(
            "Signature over the canonical bytes of everything else",
            algorithm={"const": "Ed25519"},
            public_key={"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"},
            value={"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"},
        ),
    ),
}


def list_schema_faults(value: Any, schema: Schema) -> list[str]:
    """List the faults of a value, a sentence each, at most ``MOST_FAULTS``; empty: it fits its schema.

    Each begins with where it is, counting entries of lists from 1: "figures 3, assigned: …". The value itself
    is not quoted, since it may be long.
    """
    import jsonschema_rs  # 7 MiB, for whoever receives files of others

    validator = jsonschema_rs.Draft202012Validator(schema, mask="it")
    faults = islice(validator.iter_errors(value), MOST_FAULTS)
    return [f"{_name_position(fault.instance_path)}: {fault.message}." for fault in faults]


def _name_position(path: list[str | int]) -> str:
    position = ""
    for step in path:
        position += f" {step + 1}" if isinstance(step, int) else f", {step[:60]}"
    return position.removeprefix(", ").strip() or "The file"
