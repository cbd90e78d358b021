"""The published schema is one, a return fits it, and a fault is said with its place."""

import json
from copy import deepcopy

import jsonschema_rs
import pytest

from portal.features.returns.comparisons import COMPARISON_SCHEMA
from portal.features.returns.content import MOST_FAULTS, RETURN_SCHEMA, Schema, list_schema_faults
from tests.features.returns.making import make_content, sign

DOCUMENT = json.loads(sign(make_content()))


@pytest.mark.parametrize("schema", [RETURN_SCHEMA, COMPARISON_SCHEMA])
def test_the_published_schema_is_json_schema_2020_12(schema: Schema) -> None:
    jsonschema_rs.meta.validate(json.loads(json.dumps(schema)))


def test_a_return_fits_the_schema_and_other_json_does_not() -> None:
    assert list_schema_faults(DOCUMENT, RETURN_SCHEMA) == []
    assert list_schema_faults([], RETURN_SCHEMA)[0].startswith("The file: ")
    many = {**DOCUMENT, "figures": [{}] * 50}
    assert len(list_schema_faults(many, RETURN_SCHEMA)) == MOST_FAULTS


def test_a_schema_fault_names_its_position_and_quotes_nothing() -> None:
    document = deepcopy(DOCUMENT)
    document["figures"][2]["assigned"] = "30" * 1_000
    document["force"]["key"] = "No key\n"

    faults = dict(fault.split(": ", 1) for fault in list_schema_faults(document, RETURN_SCHEMA))
    assert set(faults) == {"figures 3, assigned", "force, key"}
    assert "integer" in faults["figures 3, assigned"]
    assert max(map(len, faults.values())) < 120
