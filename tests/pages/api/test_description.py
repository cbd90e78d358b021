"""The API's description is exact: what answers is described, and what is described answers."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from portal.domain.access_tokens import TokenScope
from portal.pages.api import rate_limits
from portal.pages.api.views import OPERATIONS
from portal.platform.db import db
from tests.examples import few_or_many
from tests.pages.api.calling import system
from tests.pages.monitoring.world import TODAY, make_world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
GOOD = {"staff_number": "D1001", "reference": "OIC-2026", "name": "people.csv"}


def isolated(app: Flask) -> Callable[..., Iterable[bytes]]:
    """The application, each request in a context and a session of its own."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        db.session.commit()
        with app.app_context():
            body = b"".join(app(environ, start_response))
        db.session.expire_all()
        return [body]

    return serve


@pytest.fixture
def world(database, monkeypatch):
    monkeypatch.setattr(rate_limits, "PER_MINUTE", 1_000_000)
    monkeypatch.setattr(rate_limits, "FILES_IN_FIVE_MINUTES", 1_000_000)
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
def test_nothing_that_is_sent_breaks_it_or_gets_an_undocumented_answer(app, world, name, mode):
    plain = {"Accept-Encoding": "identity"}  # as sent: the client without a network unpacks nothing
    headers = {"Authorization": f"Bearer {system(app, TokenScope.WRITE).plain}", **plain}
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", isolated(app))
    operation = schema.find_operation_by_id(name)
    answered = []

    @settings(
        max_examples=few_or_many(3 if name.startswith("import_") else 8, 100),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def send(case):
        if mode == "positive" and len(answered) % 2 == 0:  # half of them about what there is
            case.path_parameters.update({n: GOOD[n] for n in case.path_parameters if n in GOOD})
            case.query = {}
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS, headers=headers)
        answered.append(response.status_code)

    send()

    expected = {"show_record": 404, "show_import": 404}.get(name, 400 if "import" in name else 200)
    assert mode == "negative" or answered[0] == expected


def test_the_document_names_every_operation_once_and_every_schema_it_refers_to(client):
    document = client.get("/api/openapi.json").get_json()
    named = [one["operationId"] for path in document["paths"].values() for one in path.values()]

    assert document["openapi"] == "3.1.0"
    assert sorted(named) == sorted(operation.name for operation in OPERATIONS)
    schemathesis.openapi.from_dict(document).validate()


def test_everything_that_is_read_has_both_times(client):
    paths = client.get("/api/openapi.json").get_json()["paths"]
    reads = {path: one["get"] for path, one in paths.items() if "get" in one}
    for of_now_alone in ("/api/v1", "/api/v1/imports/{import_id}"):  # the token, and how far a job is
        del reads[of_now_alone]

    for path, read in reads.items():
        names = [parameter["name"] for parameter in read["parameters"]]
        assert {"as_at", "as_known_on"} <= set(names), path
    assert len(reads) >= 8


def test_the_page_shows_the_same_without_a_script_of_others(client):
    page = client.page("/api")

    for operation in OPERATIONS:
        assert operation.summary in page.text
        for parameter in operation.all_parameters:
            assert parameter.name in page.text
        for field in operation.shape.fields:
            assert field.meaning in page.text
    assert all((script.get("src") or "").startswith("/static/") for script in page.all("script"))
