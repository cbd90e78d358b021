"""The dates of events, as anybody who is signed in sees them."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests.factories.events import make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_learner_sees_when_and_where_an_event_is_and_how_many_places_are_left(
    client: PortalClient, database: None
) -> None:
    host = make_person(make_unit("Training"), forenames="Ines", surname="Vale")
    reference = make_event(make_event_type(), make_event_room(), host)
    make_booking(reference, make_person())
    make_account("D1001")
    let_in(client)

    listed = client.page("/events")
    assert "10 June 2026, 09:30" in listed.text
    page = client.page(listed.links[f"OIC Hydra {reference}"])

    assert page.h1 == "OIC Hydra"
    for said in ("10 June 2026, 09:30 to 13:30", "Training centre, room 1", "Ines Vale", "13 of 14"):
        assert said in page.text
    assert client.page("/events/EV-9999", 404).status == 404
