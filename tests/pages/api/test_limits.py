"""How often a token may call, and what its headers say."""

import pytest

from portal.pages.api import rate_limits
from tests.pages.api.calling import system


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(rate_limits, "PER_MINUTE", 2)


def test_the_headers_count_down_and_then_say_when_to_come_back(app, database, few):
    caller = system(app)
    headers = [caller.ask("").headers for _ in range(2)]
    refused = caller.ask("")

    assert [one["RateLimit"].split(";")[1] for one in headers] == ["r=1", "r=0"]
    assert headers[0]["RateLimit-Policy"] == '"token";q=2;w=60'
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"token";r=0;t=')
    assert refused.mimetype == "application/problem+json"


def test_each_token_has_its_own_count(app, database, few):
    first, second = system(app), system(app, days=1)
    for _ in range(3):
        last = first.ask("")

    assert last.status_code == 429
    assert second.ask("").status_code == 200
