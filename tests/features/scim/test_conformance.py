"""The portal passes every check of scim2-tester, whose client finds out by discovery what there is."""

from collections import Counter

import pytest
from flask import Flask
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from portal.domain.access_tokens import TokenScope
from tests.factories.access_tokens import bearer, make_token


@pytest.mark.slow
def test_every_check_of_scim2_tester_succeeds(app: Flask, database: None) -> None:
    headers = bearer(make_token(TokenScope.SCIM, name="entra"))
    address = app.config["PORTAL"].address
    client = WSGISCIMClient(app, f"{address}/scim/v2", headers)

    results = check_server(client)

    failures = [result for result in results if result.status is not Status.SUCCESS]
    assert not failures, "\n".join(f"{each.title}: {each.reason}" for each in failures)
    assert Counter(result.status for result in results)[Status.SUCCESS] > 60
