"""An administrator says which role a group of the identity provider gives."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, select

from portal.domain.people.models import RoleGrant
from portal.features.scim import services
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account, make_administrator


def make_group(name: str = "Portal managers", *members: int) -> UUID:
    with transaction():
        return services.create_group(name, None, members, clock.now(), "entra").id


def test_a_group_is_given_a_role_on_a_unit_and_its_members_have_it(client: PortalClient) -> None:
    unit = make_unit("Crime")
    member, administrator = make_person(unit), make_administrator()
    group = make_group("Portal managers", member)
    let_in(client)

    page = client.page("/grants/groups")
    assert "Portal managers" in page.text
    assert "No role" in page.text
    form = client.page(f"/grants/groups/{group}")
    assert "1 person in this group" in form.text
    after = client.press(form, "Save", role="manager", unit=str(unit))

    assert "The role of the group Portal managers is saved." in after.text
    assert "Crime" in after.text
    grant = db.session.scalars(select(RoleGrant).where(RoleGrant.person_id == member)).one()
    assert (grant.role, grant.unit_id, grant.given_by_id) == ("manager", unit, administrator)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "scim.group_mapped")).one()
    assert (event.actor_id, event.detail["role"]) == (administrator, "manager")

    client.press(client.page(f"/grants/groups/{group}"), "Save", role="", unit="")
    assert grant.ended_at is not None


def test_what_may_not_be_given_is_said_beside_the_field(client: PortalClient) -> None:
    unit, administrator = make_unit("Crime"), make_administrator()
    let_in(client)
    group = make_group()

    page = client.press(client.page(f"/grants/groups/{group}"), "Save", 400, role="author", unit=str(unit))
    assert "is a role for the whole force" in page.text
    own = make_group("My own", administrator)
    page = client.press(client.page(f"/grants/groups/{own}"), "Save", 400, role="auditor", unit="")
    assert "You cannot give yourself a role" in page.text


def test_an_administrator_of_a_unit_sees_groups_and_changes_none(client: PortalClient) -> None:
    unit = make_unit("Crime")
    make_grant(make_account("D1001", unit=unit), Role.ADMINISTRATOR, unit)
    group = make_group()
    let_in(client)

    page = client.page("/grants/groups")
    assert "Portal managers" in page.text
    assert "Portal managers" not in page.links
    client.page(f"/grants/groups/{group}", 403)
    client.page(f"/grants/groups/{uuid4()}", 404)


def test_a_list_of_many_groups_asks_as_little_as_one_of_few(client: PortalClient) -> None:
    make_administrator()
    let_in(client)
    make_group("Group 0")
    few = count_statements(client)
    for number in range(1, 21):
        make_group(f"Group {number}")

    assert count_statements(client) == few > 0


def count_statements(client: PortalClient) -> int:
    """How many statements the page asks, once everything it keeps is there."""
    client.page("/grants/groups")
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    client.page("/grants/groups")
    event.remove(db.engine, "before_cursor_execute", note)
    return len(statements)
