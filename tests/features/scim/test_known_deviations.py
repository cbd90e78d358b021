"""Requests as Microsoft Entra ID and Okta send them, where they depart from the standard."""

from typing import Any

import pytest
from flask import Flask

from tests.features.scim.provider import ENTERPRISE, PATCH, Provider, posts_of
from tests.features.scim.test_groups import GROUP, members

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.fixture
def provider(app: Flask, database: None) -> Provider:
    return Provider(app)


def patch(provider: Provider, path: str, operations: list[dict[str, Any]], status: int = 200) -> Any:
    return provider.send("PATCH", path, {"schemas": [PATCH], "Operations": operations}, status=status)


def test_entra_creates_with_attributes_that_are_not_stored(provider):
    body = {
        "schemas": [CORE, ENTERPRISE],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_ab6490ee@westshire.example",
        "active": "True",
        "displayName": "Rowan Hale",
        "addresses": [{"type": "work", "country": "GB"}],
        "phoneNumbers": [{"primary": True, "type": "work", "value": "01632 960000"}],
        "preferredLanguage": "en-GB",
        "emails": [{"primary": True, "type": "work", "value": "Rowan.Hale@westshire.example"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Rowan Hale", "familyName": "Hale", "givenName": "Rowan"},
        "roles": [],
        "title": "Constable",
        "userType": "response",
        ENTERPRISE: {"employeeNumber": "4711", "department": "Westshire Police", "costCenter": "7"},
    }
    made = provider.send("POST", "/Users", body, status=201)

    assert made["active"] is True
    assert "displayName" not in made
    assert made["headers"]["Location"] == made["meta"]["location"]
    assert provider.find('externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"') == [body["userName"]]


@pytest.mark.parametrize("value", ["False", "false", False, [{"value": "False"}]], ids=repr)
def test_entra_writes_operations_with_capitals_and_booleans_as_text(provider, value):
    key = provider.add()
    patch(provider, f"/Users/{key}", [{"op": "Replace", "path": "active", "value": value}])
    assert provider.send("GET", f"/Users/{key}")["active"] is False
    patch(provider, f"/Users/{key}", [{"op": "Add", "path": "active", "value": "True"}])
    assert len(posts_of("4711")) == 1


def test_entra_names_addresses_by_a_filter_also_where_there_is_none(provider):
    key = provider.add(emails=[])
    path = 'emails[type eq "work"].value'
    patch(provider, f"/Users/{key}", [{"op": "Add", "path": path, "value": "a@westshire.example"}])
    patch(provider, f"/Users/{key}", [{"op": "Replace", "path": path, "value": "b@westshire.example"}])
    assert provider.send("GET", f"/Users/{key}")["emails"] == [
        {"value": "b@westshire.example", "type": "work"}
    ]
    patch(provider, f"/Users/{key}", [{"op": "Remove", "path": path}])
    assert "emails" not in provider.send("GET", f"/Users/{key}")


def test_entra_writes_a_manager_as_a_text(provider):
    boss, key = provider.add("100"), provider.add("4711")
    path = f"{ENTERPRISE}:manager"
    patch(provider, f"/Users/{key}", [{"op": "Add", "path": path, "value": boss}])
    assert posts_of("4711")[-1][3] == "100"
    patch(provider, f"/Users/{key}", [{"op": "Remove", "path": path}])
    assert posts_of("4711")[-1][3] == ""
    patch(provider, f"/Users/{key}", [{"op": "Replace", "path": path, "value": [{"value": boss}]}])
    assert posts_of("4711")[-1][3] == "100"
    patch(provider, f"/Users/{key}", [{"op": "Replace", "path": path, "value": ""}])
    assert posts_of("4711")[-1][3] == ""


def test_entra_patches_with_a_value_of_paths(provider):
    key = provider.add()
    value = {
        "displayName": "Bjfe",
        "name.givenName": "Kit",
        "name.familyName": "Unua",
        f"{ENTERPRISE}:department": "Westshire Police/Crime",
    }
    shown = patch(provider, f"/Users/{key}", [{"op": "replace", "value": value}])
    assert shown["name"] == {"familyName": "Unua", "givenName": "Kit"}
    assert shown[ENTERPRISE]["department"] == "Westshire Police/Crime"


def test_entra_patches_what_is_not_stored_and_nothing_happens(provider):
    key = provider.add()
    before = provider.send("GET", f"/Users/{key}")["meta"]["version"]
    operations = [
        {"op": "Add", "path": "displayName", "value": "User X"},
        {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "01632 960000"},
        {"op": "Replace", "path": 'addresses[type eq "work"].country', "value": "GB"},
    ]
    assert patch(provider, f"/Users/{key}", operations)["meta"]["version"] == before


def test_entra_wraps_single_values_in_a_list(provider):
    key = provider.add()
    wrapped = [{"$ref": None, "value": "Sergeant"}]
    assert (
        patch(provider, f"/Users/{key}", [{"op": "Replace", "path": "title", "value": wrapped}])["title"]
        == "Sergeant"
    )


def test_entra_removes_members_by_value_and_is_answered_without_a_body(provider):
    first, second = provider.add("1"), provider.add("2")
    group = provider.send(
        "POST", "/Groups", {"schemas": [GROUP], "externalId": "8aa1", "displayName": "G"}, status=201
    )["id"]
    both = [{"$ref": None, "value": first}, {"$ref": None, "value": second}]
    patch(provider, f"/Groups/{group}", [{"op": "Add", "path": "members", "value": both}], 204)
    patch(
        provider,
        f"/Groups/{group}",
        [{"op": "Remove", "path": "members", "value": [{"$ref": None, "value": first}]}],
        204,
    )
    assert members(provider, group) == [second]
    patch(provider, f"/Groups/{group}", [{"op": "Replace", "path": "displayName", "value": "H"}], 204)
    assert provider.find('displayName eq "h"', "Groups") == ["H"]


def test_entra_tests_a_connection_with_a_name_that_nobody_has(provider):
    assert provider.find('userName eq "8d0a8b1e-non-existing"') == []


def test_okta_deactivates_by_a_value_without_a_path(provider):
    key = provider.add()
    shown = patch(provider, f"/Users/{key}", [{"op": "replace", "value": {"active": False}}])
    assert shown["active"] is False
    assert patch(provider, f"/Users/{key}", [{"op": "replace", "value": {"active": True}}])["active"] is True


def test_okta_replaces_the_whole_user_and_what_it_does_not_send_stays(provider):
    boss = provider.add("100")
    key = provider.add("4711", manager={"value": boss})
    body = {
        "schemas": [CORE, ENTERPRISE],
        "id": key,
        "userName": "rowan.hale@westshire.example",
        "name": {"givenName": "Rowan", "familyName": "Hale"},
        "emails": [{"primary": True, "value": "rowan.hale@westshire.example", "type": "work"}],
        "title": "Constable",
        "userType": "custody",
        "displayName": "Rowan Hale",
        "locale": "en-GB",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "active": True,
        "meta": {"resourceType": "User"},
        ENTERPRISE: {"employeeNumber": "4711", "department": "Westshire Police/Response"},
    }
    shown = provider.send("PUT", f"/Users/{key}", body)

    assert (shown["userType"], shown["externalId"]) == ("custody", "00ujl29u0le5T6Aj10h7")
    assert shown[ENTERPRISE]["manager"]["value"] == boss
    assert provider.send("PUT", f"/Users/{key}", {**body, ENTERPRISE: {**body[ENTERPRISE], "manager": None}})
    assert "manager" not in provider.send("GET", f"/Users/{key}")[ENTERPRISE]


def test_okta_sends_a_password_which_is_never_kept(provider):
    shown = provider.send("GET", f"/Users/{provider.add(password='1mz050nq')}")
    assert "1mz050nq" not in str(shown)


def test_okta_changes_members_by_filter_and_renames_by_a_value_with_an_id(provider):
    first, second = provider.add("1"), provider.add("2")
    group = provider.send(
        "POST",
        "/Groups",
        {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": [{"value": first, "display": "x"}]},
        status=201,
    )["id"]
    operations = [
        {"op": "remove", "path": f'members[value eq "{first}"]'},
        {"op": "add", "path": "members", "value": [{"value": second, "display": "y"}]},
    ]
    patch(provider, f"/Groups/{group}", operations, 204)
    assert members(provider, group) == [second]
    patch(
        provider, f"/Groups/{group}", [{"op": "replace", "value": {"id": group, "displayName": "New"}}], 204
    )
    patch(
        provider, f"/Groups/{group}", [{"op": "replace", "path": "members", "value": [{"value": first}]}], 204
    )
    assert members(provider, group) == [first]
    assert provider.find('displayName eq "New"', "Groups") == ["New"]
