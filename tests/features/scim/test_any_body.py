"""No body, filter or path makes a fault of the server, and what is refused changes nothing."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.access_tokens import TokenScope
from tests.examples import few_or_many
from tests.factories.access_tokens import bearer, make_token
from tests.features.scim.provider import ENTERPRISE, PATCH, user
from tests.limits import reset_limits

NAMES = st.sampled_from(
    (
        "userName name familyName givenName title userType active emails value type externalId id meta "
        "schemas members displayName manager department $ref employeeNumber password Operations x "
        f"{ENTERPRISE} {ENTERPRISE}:manager"
    ).split()
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "True", "person-1", "4711", "a/b", "Force/A", "x@y", "ß", "\u2028", "a" * 300]),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
PATHS = st.one_of(
    NAMES,
    st.tuples(NAMES, NAMES).map(".".join),
    st.builds('{}[{} {} "work"].value'.format, NAMES, NAMES, st.sampled_from(["eq", "co", "pr", "gt"])),
    st.text(max_size=8),
)
OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "le", "pr"]
FILTERS = st.one_of(
    st.text(max_size=12),
    st.builds("{} {} {}".format, NAMES, st.sampled_from(OPERATORS), SCALARS.map(json.dumps)),
    PATHS,
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "Replace", "remove", "x"])},
        optional={"path": PATHS, "value": VALUES},
    ),
    max_size=3,
)


class Known:
    """A provider with one user and one group."""

    def __init__(self, app: Flask) -> None:
        self.client, self.headers = app.test_client(), bearer(make_token(TokenScope.SCIM, name="entra"))
        self.user = self.send("POST", "/Users", user()).get_json(force=True)["id"]
        self.group = self.send("POST", "/Groups", {"displayName": "G"}).get_json(force=True)["id"]

    def send(self, method: str, path: str, body: Any = None) -> Any:
        reset_limits()
        return self.client.open(f"/scim/v2{path}", method=method, json=body, headers=self.headers)


@pytest.fixture
def known(app: Flask, database: None) -> Known:
    return Known(app)


@given(
    body=st.dictionaries(NAMES, VALUES, max_size=6),
    changes=st.dictionaries(NAMES, VALUES, max_size=3),
    operations=OPERATIONS,
    filter_=FILTERS,
)
@settings(
    max_examples=few_or_many(6, 400),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_sent_is_done_or_refused(
    known: Known, body: Any, changes: Any, operations: Any, filter_: str
) -> None:
    patch = {"schemas": [PATCH], "Operations": operations}
    for method, path, sent in (
        ("POST", "/Users", body),
        ("POST", "/Users", {**user("4712"), **changes}),
        ("PUT", f"/Users/{known.user}", {**user(), **changes}),
        ("PATCH", f"/Users/{known.user}", patch),
        ("POST", "/Groups", body),
        ("PUT", f"/Groups/{known.group}", body),
        ("PATCH", f"/Groups/{known.group}", patch),
        ("POST", "/.search", body),
        ("GET", f"/Users?filter={quote(filter_)}", None),
        ("GET", f"/Groups?filter={quote(filter_)}", None),
        ("GET", f"/Users?attributes={quote(filter_)}", None),
    ):
        answer = known.send(method, path, sent)
        assert answer.status_code < 500, (method, path, sent, answer.get_data(as_text=True))
