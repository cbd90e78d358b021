"""The published schema: the portal's own check and a full reader of JSON Schema agree on it."""

import json
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.returns.schema import RETURN_SCHEMA
from portal.platform.formats.json_checks import list_schema_faults
from tests.domain.returns.making import make_content, sign

READER = jsonschema_rs.Draft202012Validator(json.loads(json.dumps(RETURN_SCHEMA)))
DOCUMENT = json.loads(sign(make_content()))
OTHERS = (
    None,
    True,
    0,
    1,
    -1,
    2_000_000,
    "",
    "x",
    "module:respond",
    "a\nb",
    "force",
    "2026-13",
    [],
    {},
    [1],
    {"a": 1},
)


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, held in inner for place in list_places(held, (*path, name)))]


PLACES = [place for place in list_places(DOCUMENT) if place]


def test_a_return_fits_the_schema_by_either_reader() -> None:
    jsonschema_rs.meta.validate(json.loads(json.dumps(RETURN_SCHEMA)))
    assert READER.is_valid(DOCUMENT)
    assert list_schema_faults(DOCUMENT, RETURN_SCHEMA) == []


@given(st.sampled_from(PLACES), st.sampled_from([*OTHERS, "removed", "added"]))
def test_both_readers_agree_whatever_is_changed(place: tuple[Any, ...], other: Any) -> None:
    document = deepcopy(DOCUMENT)
    around: Any = document
    for name in place[:-1]:
        around = around[name]
    if other == "removed":
        del around[place[-1]]
    elif other == "added" and isinstance(around, dict):
        around["another"] = 1
    else:
        around[place[-1]] = other

    assert (list_schema_faults(document, RETURN_SCHEMA) == []) is READER.is_valid(document)


def test_a_fault_says_where_it_is() -> None:
    document = deepcopy(DOCUMENT)
    document["figures"][2]["assigned"] = "30"
    del document["force"]["key"]

    assert sorted(list_schema_faults(document, RETURN_SCHEMA)) == [
        "figures 3, assigned: must be a whole number or null.",
        "force, key: is missing.",
    ]


def test_a_schema_with_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="Not understood: oneOf"):
        list_schema_faults(1, {"oneOf": []})
