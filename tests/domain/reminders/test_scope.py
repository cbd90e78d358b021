"""What a role of one unit reads and sets about reminders ends at that unit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import update

from portal.domain.people.models import RoleGrant
from portal.domain.reminders import services
from portal.domain.reminders.rules import SendWindow
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.monitoring.world import World, enter, make_world


@pytest.fixture
def world(database: None) -> Iterator[World]:
    """D2001 of the north also manages somebody of another command, who is overdue as well."""
    made = make_world()
    made.person("X9", "crime", "D2001", surname="Faraway", role="investigation")
    made.person("D4002", "north", role="training")
    make_grant(made.people["D4002"], "directive-owner", made.units["north"])
    with time_machine.travel(datetime(2026, 5, 20, 11, tzinfo=UTC), tick=False):
        yield made


@pytest.fixture
def owner(client: PortalClient, world: World) -> PortalClient:
    return enter(client, world, "D4002")


def test_a_letter_to_a_manager_tells_of_nobody_whom_the_reader_may_not_see(owner: PortalClient) -> None:
    dry = owner.page("/reminders/preview?day=21+May+2026").text
    with transaction():
        services.plan_day(date(2026, 5, 14), at=clock.now(), hours=SendWindow())
    page = owner.page("/reminders").text

    for text in (dry, page):
        assert "to the line manager, Priya Shah" in text
        assert "somebody outside your units" not in text  # that there is somebody says they are overdue
        assert "Faraway" not in text


def test_the_rules_of_the_force_s_directive_are_not_theirs(owner: PortalClient) -> None:
    assert (
        "This directive is for people outside your units" in owner.page("/reminders/rules/OIC-2026", 403).text
    )
    assert "When each directive reminds" not in owner.page("/reminders").text


def test_sight_by_one_role_lets_no_other_role_remind(owner: PortalClient, world: World) -> None:
    make_grant(world.people["D4002"], "auditor")

    far, near = owner.page("/people/C1"), owner.page("/people/D1001")
    assert owner.get("/people/C1/nudge/OIC-2026").status_code == 404
    owner.page("/people/D1001/nudge/OIC-2026")
    # a link is shown where it works, and nowhere else
    asked = {"An exemption", "A deferral"}
    assert not [text for text in far.links if text.startswith("Remind ") or text in asked]
    assert "Remind Priya Shah of OIC-2026" in near.links
    for text in asked:
        owner.page(near.links[text])


def test_sight_by_one_role_opens_no_attempt_by_another(client: PortalClient, world: World) -> None:
    make_grant(world.people["D2002"], "auditor")  # a manager of Crime alone
    manager = enter(client, world, "D2002")

    manager.page("/people/D1001")
    assert manager.get("/people/D1001/attempts").status_code == 404
    assert manager.get("/people/C1/attempts").status_code == 200


def test_who_was_not_told_is_listed_to_who_sees_the_whole_force_alone(
    client: PortalClient, world: World
) -> None:
    """D4003 sees a line manager in the north, and not whom they manage in another command."""
    world.person("D4003", "north", role="training")
    make_grant(world.people["D4003"], "directive-owner", world.units["crime"])
    make_grant(world.people["D4003"], "directive-owner", world.units["north"])
    with transaction():
        end = update(RoleGrant).where(RoleGrant.person_id == world.people["D2001"])
        db.session.execute(end.values(ended_at=clock.now()))
        services.plan_day(date(2026, 5, 14), at=clock.now(), hours=SendWindow())
    asked = "because they cannot open the report"

    assert asked not in enter(client, world, "D4003").page("/reminders").text
    make_grant(world.people["D6001"], "administrator")
    other = PortalClient(client.application)
    assert asked in enter(other, world, "D6001").page("/reminders").text
