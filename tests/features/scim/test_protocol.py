"""Filters, pages, versions and refusals: what a provider may ask, and what nobody gets."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select

from portal.domain.access_tokens import TokenScope
from portal.domain.people.models import PersonName
from portal.features.scim import protocol, views
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import BusyError
from tests.factories.access_tokens import bearer, make_token
from tests.features.scim.provider import ENTERPRISE, PATCH, Provider, user
from tests.pages.account.browsing import let_in, make_administrator

ROUTES = (
    ("GET", "/ServiceProviderConfig"), ("GET", "/Schemas"), ("GET", "/ResourceTypes"), ("POST", "/.search"),
    ("GET", "/Users"), ("POST", "/Users"), ("POST", "/Users/.search"), ("GET", "/Users/person-1"),
    ("PUT", "/Users/person-1"), ("PATCH", "/Users/person-1"), ("DELETE", "/Users/person-1"),
    ("GET", "/Groups"), ("POST", "/Groups"), ("DELETE", "/Groups/x"),
)  # fmt: skip


@pytest.fixture
def provider(app: Flask, database: None) -> Provider:
    return Provider(app)


@pytest.fixture
def three(provider: Provider) -> Provider:
    provider.add("100", title="Sergeant", externalId="A", name={"familyName": "Ash", "givenName": "Al_x"})
    provider.add("200", department="Westshire Police/Crime", manager="100", emails=[])
    provider.add("300", active=False, userType="custody", department="Westshire Police/Crime/Team A")
    return provider


def test_pages_have_an_order_and_a_limit(three):
    first = three.send("GET", "/Users?startIndex=1&count=2")
    second = three.send("GET", "/Users?startIndex=3&count=2")
    names = [each["userName"][:4] for page in (first, second) for each in page["Resources"]]
    assert names == ["u100", "u200", "u300"]
    assert [first[name] for name in ("totalResults", "startIndex", "itemsPerPage")] == [3, 1, 2]
    assert three.send("GET", "/Users?count=0")["Resources"] == []
    assert three.send("GET", "/Users?count=-5&startIndex=-5")["startIndex"] == 1
    assert three.send("GET", f"/Users?startIndex={10**30}&count={10**30}")["Resources"] == []
    assert three.refused("GET", "/Users?count=many")[0] == "invalidValue"
    config = three.send("GET", "/ServiceProviderConfig")
    assert (config["filter"]["maxResults"], config["bulk"]["supported"]) == (protocol.MOST_RESULTS, False)


def test_a_list_of_many_asks_as_little_as_one_of_few(provider, app):
    def count_statements() -> int:
        seen: list[str] = []
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        provider.send("GET", "/Users")
        event.remove(db.engine, "before_cursor_execute", listen)
        return len(seen)

    provider.add("1")
    provider.send("GET", "/Users")
    few = count_statements()
    for number in range(2, 22):
        provider.add(str(number), manager="1")
    assert count_statements() == few > 0


def test_a_search_in_a_body_finds_users_and_groups(three):
    three.send("POST", "/Groups", {"displayName": "u-group"}, status=201)
    everything = three.send(
        "POST", "/.search", {"filter": 'userName sw "u" or displayName sw "u"', "count": 3}
    )
    assert everything["totalResults"] == 4
    rest = three.send("POST", "/.search", {"startIndex": 4, "attributes": ["displayName"]})
    assert rest["Resources"][0]["displayName"] == "u-group"
    assert three.send("POST", "/Users/.search", {"filter": "active eq false"})["totalResults"] == 1
    assert three.send("POST", "/Groups/.search", {"filter": "displayName pr"})["totalResults"] == 1


def test_only_the_attributes_that_are_asked_for_are_shown(provider):
    key = provider.add()
    shown = provider.send("GET", f"/Users/{key}?attributes=userName,{ENTERPRISE}:department")
    assert set(shown) == {"schemas", "id", "userName", ENTERPRISE, "headers"}
    assert set(shown[ENTERPRISE]) == {"department"}
    assert "emails" not in provider.send("GET", f"/Users/{key}?excludedAttributes=emails")


def test_versions_stop_a_change_of_what_has_changed_since(provider):
    key = provider.add()
    read = provider.send("GET", f"/Users/{key}")
    tag = read["headers"]["ETag"]
    assert tag == read["meta"]["version"]
    assert set(read["meta"]) == {"resourceType", "created", "location", "version"}  # what is recorded
    assert provider.send("GET", "/ServiceProviderConfig")["etag"]["supported"] is True
    provider.send("GET", f"/Users/{key}", If_None_Match=tag, status=304)

    body = user(title="Sergeant")
    changed = provider.send("PUT", f"/Users/{key}", body, If_Match=tag)
    assert changed["headers"]["ETag"] != tag
    provider.send("PUT", f"/Users/{key}", user(title="Inspector"), If_Match=tag, status=412)
    provider.send("DELETE", f"/Users/{key}", If_Match=tag, status=412)
    assert provider.send("GET", f"/Users/{key}", If_None_Match=tag)["title"] == "Sergeant"
    provider.send("PUT", f"/Users/{key}", body, If_Match="*")


def test_no_other_token_and_no_session_gets_in(app, client):
    make_administrator()
    let_in(client)
    others = [bearer(make_token(scope, name=f"of {scope}")) for scope in (TokenScope.READ, TokenScope.WRITE)]
    for method, path in ROUTES:
        for headers in others:
            answer = app.test_client().open(f"/scim/v2{path}", method=method, headers=headers, json={})
            assert (answer.status_code, answer.get_json(force=True)["status"]) == (403, "403"), path
        answer = client.open(f"/scim/v2{path}", method=method, json={})  # signed in, without a token
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"]


def test_an_expired_token_ends_provisioning_at_once(app, database):
    plain = make_token(TokenScope.SCIM, name="entra", days=1)
    Provider(app, plain).add()
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        assert Provider(app, plain).refused("GET", "/Users", status=401)[0] == ""


@pytest.mark.parametrize(
    ("body", "status", "keyword"),
    [
        ("", 400, "invalidSyntax"),
        ("{", 400, "invalidSyntax"),
        ("[]", 400, "invalidSyntax"),
        ("null", 400, "invalidSyntax"),
        ("[" * 100_000, 400, "invalidSyntax"),
        ('{"userName": NaN}', 400, "invalidSyntax"),
        ('{"userName": "a\\u0000b"}', 400, "invalidValue"),
        ('{"userName": "\\ud800"}', 400, "invalidValue"),
        (b"\xff\xfe{", 400, "invalidSyntax"),
        ('{"userName": {"a": 1}}', 400, "invalidValue"),
        ('{"userName": "' + "x" * 800_000 + '"}', 413, ""),
    ],
    ids=["empty", "cut", "list", "null", "deep", "nan", "nul", "surrogate", "bytes", "type", "huge"],
)
def test_a_body_that_is_no_user_is_refused_by_name(provider, body, status, keyword):
    before = db.session.scalar(select(func.count()).select_from(PersonName))
    assert provider.refused("POST", "/Users", body, status=status)[0] == keyword
    assert db.session.scalar(select(func.count()).select_from(PersonName)) == before


@pytest.mark.parametrize(
    ("operations", "keyword"),
    [
        (None, "invalidSyntax"),
        ([], "invalidSyntax"),
        ([7], "invalidSyntax"),
        ([{"op": "erase", "path": "title"}], "invalidValue"),
        ([{"op": "remove"}], "noTarget"),
        ([{"op": "remove", "path": "title"}], "mutability"),
        ([{"op": "remove", "path": "active"}], "mutability"),
        ([{"op": "replace", "path": "id", "value": "person-1"}], "mutability"),
        ([{"op": "replace", "path": "title", "value": {"a": "b"}}], "invalidValue"),
        ([{"op": "replace", "path": "title[", "value": "x"}], "invalidPath"),
        ([{"op": "add", "path": 'emails[type eq "x" or type eq "y"].value', "value": "x"}], "noTarget"),
        ([{"op": "add", "path": 'emails[display eq "x"].value', "value": "x"}], "invalidFilter"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_patch_that_cannot_be_is_refused_by_its_keyword(provider, operations, keyword):
    key = provider.add()
    body = {"schemas": [PATCH], "Operations": operations}
    assert provider.refused("PATCH", f"/Users/{key}", body)[0] == keyword


def test_a_patch_has_a_thousand_operations_at_most(provider):
    key = provider.add()
    operations = [{"op": "replace", "path": "title", "value": "x"}] * 1_001
    provider.refused("PATCH", f"/Users/{key}", {"Operations": operations}, status=413)


@pytest.mark.parametrize(
    "key", ["4711", "person-", "person-1e3", "person-99999999999999999999", "person-٣", "x"]
)
def test_a_user_who_is_not_there_is_not_found(provider, key):
    provider.refused("GET", f"/Users/{key}", status=404)
    provider.refused("PUT", f"/Users/{key}", user(), status=404)


def test_another_address_or_method_answers_in_the_standards_form(provider):
    provider.refused("GET", "/Bulk", status=404)
    provider.refused("POST", "/Bulk", {}, status=404)
    provider.refused("DELETE", "/Schemas", status=405)


def test_a_body_of_another_type_is_refused(app, provider):
    answer = app.test_client().post(
        "/scim/v2/Users", data="a=b", headers=bearer(make_token(TokenScope.SCIM, name="other"))
    )
    assert answer.status_code == 415


def test_a_database_that_is_busy_says_when_to_come_back(provider, monkeypatch):
    def busy() -> Any:
        raise BusyError

    monkeypatch.setattr(protocol, "stamp", busy)
    document = provider.send("POST", "/Users", user(), status=503)
    assert document["headers"]["Retry-After"] == "5"
    assert document["status"] == "503"


def test_a_provider_that_sends_without_end_is_told_to_wait(provider, monkeypatch):
    monkeypatch.setattr(views, "MOST_REQUESTS", 3)
    for _ in range(3):
        provider.send("GET", "/Users")
    document = provider.send("GET", "/Users", status=429)
    assert document["status"] == "429"
    assert int(document["headers"]["Retry-After"]) > 0
