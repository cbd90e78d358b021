"""The access log of a record: one entry a day, shown to the person and on their page."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.records.services import new_reference
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.status.facts import make_record
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another
from tests.pages.monitoring.world import TODAY, World, enter, make_world


@pytest.fixture
def world(database: None) -> World:
    return make_world()


def looks() -> list[AuditEvent]:
    viewed = select(AuditEvent).where(AuditEvent.action == "person.viewed")
    return list(db.session.scalars(viewed.order_by(AuditEvent.id)))


@pytest.mark.slow
def test_a_look_is_noted_once_a_day_and_told_to_the_person(client: PortalClient, world: World) -> None:
    own = another(client.application)
    with time_machine.travel(TODAY, tick=False):
        enter(own, world, "D1001")
        assert "Nobody else has looked at your record yet." in own.page("/records").text
        enter(client, world, "D2001")
        for path in ("/people/D1001", "/people/D1001?as_at=2026-05-20", "/people/N1"):
            client.page(path)
        assert [event.subject_id for event in looks()] == [world.people["D1001"], world.people["N1"]]
        assert "Daniel Okafor (D2001), 10:00 on 1 June 2026" in own.page("/records").text
        page = client.page("/people/D1001")
        assert "Who looked at this record" in page.text
        assert "Daniel Okafor (D2001)" in page.text
    with time_machine.travel(TODAY + timedelta(days=1), tick=False):
        enter(client, world, "D2001")
        client.page("/people/D1001")
        assert len(looks()) == 3


def test_a_record_shown_to_another_is_a_look_and_ones_own_is_none(client: PortalClient, world: World) -> None:
    with time_machine.travel(TODAY, tick=False):
        reference = new_reference()
        make_record(world.people["N1"], world.activities[1], date(2026, 5, 2), reference=reference)
        enter(client, world, "D2001")
        client.page("/people/N1")
        before = len(looks())
        client.page(f"/records/{reference}")
        assert len(looks()) == before  # noted today, with the page
        client.page("/people/D2001")
        assert len(looks()) == before
        assert client.get("/people/C1").status_code == 404  # what was not seen is not noted
        assert len(looks()) == before
