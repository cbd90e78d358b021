"""Groups of a provider, and the roles that an administrator gives them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.features.scim import queries, services
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person, make_unit
from tests.features.scim.provider import PATCH, Provider, audited, person_of
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account, signed_in

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.fixture
def provider(app: Flask, database: None) -> Provider:
    return Provider(app)


def add_group(provider: Provider, name: str = "Portal managers", members: list[str] | None = None) -> str:
    body = {"schemas": [GROUP], "displayName": name, "members": [{"value": key} for key in members or []]}
    return str(provider.send("POST", "/Groups", body, status=201)["id"])


def patch(provider: Provider, key: str, *operations: dict[str, Any], status: int = 204) -> dict[str, Any]:
    body = {"schemas": [PATCH], "Operations": list(operations)}
    return provider.send("PATCH", f"/Groups/{key}", body, status=status)


def map_to(key: str, role: Role | None, unit: int | None = None, *, by: int | None = None) -> int:
    """Give the group a role, as an administrator; returns their id."""
    giver = by or make_person(make_unit("Head office"))
    with transaction():
        services.map_group(queries.get_group(key, lock=True), role, unit, by=giver, at=clock.now())
    return giver


def live_grants() -> list[tuple[int, str, int | None]]:
    statement = select(RoleGrant.person_id, RoleGrant.role, RoleGrant.unit_id)
    rows = db.session.execute(statement.where(RoleGrant.ended_at.is_(None)))
    return sorted((person_id, role, unit_id) for person_id, role, unit_id in rows)


def members(provider: Provider, key: str) -> list[str]:
    return sorted(each["value"] for each in provider.send("GET", f"/Groups/{key}").get("members", []))


def test_a_group_gives_no_role_until_an_administrator_says_so(provider):
    key = provider.add()
    group = add_group(provider, members=[key])

    assert live_grants() == []
    giver = map_to(group, Role.AUDITOR)

    assert live_grants() == [(person_of(key), "auditor", None)]
    grant = db.session.scalars(select(RoleGrant)).one()
    assert grant.given_by_id == giver


def test_members_get_the_role_and_lose_it_with_the_membership(app, provider):
    unit = make_unit("Crime")
    group = add_group(provider)
    map_to(group, Role.MANAGER, unit)
    person = make_account("D1001", unit=unit)
    browser = PortalClient(app)
    let_in(browser)

    patch(provider, group, {"op": "add", "path": "members", "value": [{"value": f"person-{person}"}]})
    assert live_grants() == [(person, "manager", unit)]
    assert not signed_in(browser), "a new role counts from the next sign-in, as on the account page"

    patch(provider, group, {"op": "remove", "path": f'members[value eq "person-{person}"]'})
    assert live_grants() == []
    assert members(provider, group) == []
    assert [len(audited(f"scim.member_{what}")) for what in ("added", "removed")] == [1, 1]


def test_a_role_given_by_hand_is_not_the_groups_to_end(provider):
    key = provider.add()
    make_grant(person_of(key), "auditor")
    group = add_group(provider)
    map_to(group, Role.AUDITOR)

    patch(provider, group, {"op": "add", "path": "members", "value": [{"value": key}]})
    patch(provider, group, {"op": "remove", "path": "members"})

    assert live_grants() == [(person_of(key), "auditor", None)]


def test_a_role_that_two_groups_give_ends_with_the_last(provider):
    key = provider.add()
    first, second = add_group(provider, "First", [key]), add_group(provider, "Second", [key])
    giver = map_to(first, Role.AUDITOR)
    map_to(second, Role.AUDITOR, by=giver)

    provider.send("DELETE", f"/Groups/{first}", status=204)
    assert live_grants() == [(person_of(key), "auditor", None)]
    provider.send("DELETE", f"/Groups/{second}", status=204)
    assert live_grants() == []


def test_another_role_for_a_group_replaces_the_one_before(provider):
    key, unit = provider.add(), make_unit("Crime")
    group = add_group(provider, members=[key])
    giver = map_to(group, Role.AUDITOR)
    map_to(group, Role.MANAGER, unit, by=giver)
    assert live_grants() == [(person_of(key), "manager", unit)]
    map_to(group, None, by=giver)
    assert live_grants() == []
    assert [event.detail["role"] for event in audited("scim.group_mapped")] == ["auditor", "manager", None]


def test_a_deleted_user_is_in_no_group_and_loses_its_roles(provider):
    key = provider.add()
    group = add_group(provider, members=[key])
    map_to(group, Role.AUDITOR)

    provider.send("DELETE", f"/Users/{key}", status=204)

    assert live_grants() == []
    assert members(provider, group) == []


def test_nobody_gets_a_role_by_a_group_that_they_gave_it_to(provider):
    giver = make_person(make_unit("Head office"))
    group = add_group(provider)
    map_to(group, Role.ADMINISTRATOR, by=giver)

    body = {
        "schemas": [PATCH],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": f"person-{giver}"}]}],
    }
    keyword, detail = provider.refused("PATCH", f"/Groups/{group}", body)

    assert (keyword, live_grants()) == ("invalidValue", [])
    assert "cannot give yourself a role" in detail
    with pytest.raises(RuleError), transaction():
        services.map_group(
            queries.get_group(add_group(provider, "Mine", [f"person-{giver}"])),
            Role.AUDITOR,
            None,
            by=giver,
            at=clock.now(),
        )


def test_the_last_administrator_stays_whatever_a_provider_says(provider):
    key = provider.add()
    group = add_group(provider, members=[key])
    map_to(group, Role.ADMINISTRATOR)

    keyword, detail = provider.refused("DELETE", f"/Groups/{group}")
    assert keyword == "invalidValue"
    assert "Nobody would be left to administer" in detail
    assert live_grants() == [(person_of(key), "administrator", None)]

    make_grant(make_person(make_unit("Head office")), "administrator")
    provider.send("DELETE", f"/Groups/{group}", status=204)


def test_a_force_role_is_given_on_no_unit(provider):
    group = add_group(provider)
    with pytest.raises(RuleError, match="whole force"):
        map_to(group, Role.AUTHOR, make_unit("Crime"))


def test_two_groups_never_have_one_name(provider):
    add_group(provider, "Portal managers")
    body = {"schemas": [GROUP], "displayName": "portal MANAGERS"}
    assert provider.refused("POST", "/Groups", body, status=409)[0] == "uniqueness"


@pytest.mark.parametrize(
    "value", ["person-999999", "4711", "../Users", "", None, 7, {"a": 1}], ids=lambda value: repr(value)[:12]
)
def test_a_member_who_is_no_user_is_refused(provider, value):
    group = add_group(provider)
    body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": value}]}]}
    assert provider.refused("PATCH", f"/Groups/{group}", body)[0] == "invalidValue"


def test_a_group_is_renamed_replaced_and_read_without_its_members(provider):
    first, second = provider.add("1"), provider.add("2")
    group = add_group(provider, members=[first])

    body = {"schemas": [GROUP], "displayName": "Readers", "externalId": "g-1"}
    provider.send("PUT", f"/Groups/{group}", body)
    assert members(provider, group) == [first], "members that are left out stay"
    provider.send("PUT", f"/Groups/{group}", {**body, "members": [{"value": second}]})
    assert members(provider, group) == [second]

    assert "members" not in provider.send("GET", f"/Groups/{group}?excludedAttributes=members")
    assert provider.find('displayName eq "readers"', "Groups") == ["Readers"]
    assert provider.find(f'members eq "{second}"', "Groups") == ["Readers"]
    assert provider.find(f'id eq "{group}" and members[value eq "{first}"]', "Groups") == []


def test_a_group_is_changed_only_in_the_version_that_the_provider_read(provider):
    group = add_group(provider)
    tag = provider.send("GET", f"/Groups/{group}")["meta"]["version"]
    body = {"schemas": [GROUP], "displayName": "Readers"}
    provider.send("PUT", f"/Groups/{group}", body, If_Match=tag)
    provider.send("PUT", f"/Groups/{group}", body, If_Match=tag, status=412)
    provider.send("DELETE", f"/Groups/{group}", If_Match=tag, status=412)
