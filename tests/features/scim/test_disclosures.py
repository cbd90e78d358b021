"""Whatever a provider reads of a person is among that person's disclosures, or is not sent."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.domain.audit_desk.queries import list_disclosures
from portal.pages.layout import bearer
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.errors import UnwritableError
from tests.factories.people import make_person, make_unit
from tests.features.scim.provider import PATCH, Provider, audited, person_of, user
from tests.pages.monitoring.counting import statements


@pytest.fixture
def provider(app: Flask, database: None) -> Provider:
    return Provider(app)


def operations_on(key: str) -> list[str]:
    """What was read of the person, oldest first."""
    acts = list_disclosures(person_of(key), limit=100)
    assert {act.agent for act in acts} <= {"entra"}
    return [act.detail["operation"] for act in reversed(acts)]


def test_every_answer_with_a_user_in_it_is_recorded(provider):
    key, other = provider.add("100"), provider.add("200")
    number = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"

    provider.send("GET", f"/Users/{key}")
    provider.find('userName eq "u100@westshire.example"')
    provider.send("POST", "/Users/.search", {"filter": f'{number} eq "100"', "attributes": ["id"]})
    provider.send("POST", "/.search", {"count": 1})
    provider.send("PUT", f"/Users/{key}", user("100"))  # nothing new
    provider.patch(key, {"op": "replace", "path": "title", "value": "Constable"})  # nothing new
    provider.patch(key, {"op": "replace", "path": "title", "value": "Sergeant"})

    assert operations_on(key) == [
        "create_user", "show_user", "list_users", "search_users", "search_all", "replace_user", "patch_user",
        "patch_user",
    ]  # fmt: skip
    assert operations_on(other) == ["create_user"]


def test_who_is_in_a_group_is_recorded_where_members_are_sent(provider):
    key = provider.add()
    body = {"displayName": "Staff", "members": [{"value": key}]}
    group = provider.send("POST", "/Groups", body, status=201)["id"]
    before = len(operations_on(key))
    message = {
        "schemas": [PATCH],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": key}]}],
    }

    provider.send("GET", f"/Groups/{group}")
    provider.send("GET", "/Groups")
    provider.send("GET", "/Groups?excludedAttributes=members")
    provider.send("GET", f"/Groups/{group}?excludedAttributes=members")
    provider.send("PUT", f"/Groups/{group}", {"displayName": "Staff"})
    provider.send("PATCH", f"/Groups/{group}", message, status=204)
    provider.send("PATCH", f"/Groups/{group}?attributes=members", message)

    assert operations_on(key)[before:] == ["show_group", "list_groups", "replace_group", "patch_group"]


def test_what_is_not_sent_discloses_nobody(provider):
    key = provider.add()
    tag = provider.send("GET", f"/Users/{key}")["meta"]["version"]
    before = operations_on(key)

    provider.send("GET", f"/Users/{key}", If_None_Match=tag, status=304)
    provider.send("PUT", f"/Users/{key}", user(), If_Match='"other"', status=412)
    provider.send("GET", '/Users?count=0&filter=userName+eq+"u4711@westshire.example"')
    provider.send("GET", "/Users?startIndex=100")
    provider.send("GET", "/Users/person-999", status=404)
    provider.send("GET", "/Schemas")

    assert operations_on(key) == before
    assert [act.detail["rows"] for act in audited("data.read")][-2:] == [
        0,
        0,
    ]  # that one asked is in the trail


def test_a_list_of_two_hundred_takes_as_many_statements_as_one_of_two(provider):
    unit = make_unit("Westshire Police")
    people = [make_person(unit, staff_number=f"M{number:03}") for number in range(200)]
    provider.send("GET", "/Users?count=2")  # the token's use is noted
    with statements() as few:
        provider.send("GET", "/Users?count=2")
    with statements() as many:
        provider.send("GET", "/Users?count=200")

    assert len(many) == len(few)
    assert list_disclosures(people[-1], limit=10)[0].detail["rows"] == 200
    sizes = db.session.scalars(select(AuditEvent.detail).where(AuditEvent.action == "data.read"))
    assert [detail["people"] for detail in sizes][-1] == 200


def test_a_change_whose_answer_cannot_be_recorded_is_not_made(provider, monkeypatch):
    before = db.session.scalar(select(func.count()).select_from(AuditEvent))

    def full(*_args: object, **_more: object) -> None:
        raise UnwritableError

    monkeypatch.setattr(bearer, "log_file", full)
    provider.send("POST", "/Users", user(), status=503)
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == before
    assert provider.refused("GET", "/Users/person-1", status=404)
