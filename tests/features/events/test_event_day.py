"""From an event's page to what its day needs: the exercise, the sign-in, and what its facilitator runs."""

from datetime import timedelta

import pytest
import time_machine

from tests.factories.people import make_person, make_unit
from tests.features.events.signing import RunningEvent
from tests.features.events.worlds import BEGUN
from tests.features.exercises.running.playing import make_players, open_as, press

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def players():
    with time_machine.travel(BEGUN, tick=False):
        yield make_players()


def test_somebody_with_a_place_gets_from_their_learning_to_their_syndicate(app, players):
    first = RunningEvent(app, None).browser_of(players.first)

    page = first.page(first.page("/learning").links["OIC Hydra"])

    assert page.path == f"/events/{players.event}"
    assert "Scan the code in the room" in page.text
    assert first.page(page.links["Night shift, syndicate 1"]).path == f"/exercises/{players.run}/1"
    assert first.page(page.links["Whether you are signed in"]).path == f"/events/{players.event}/sign-in"

    press(players.run, players.facilitator, "end")
    assert "Night shift" not in first.page(page.path).text


def test_nobody_else_and_no_other_day_has_these_ways(app, players):
    browsers = RunningEvent(app, None)
    outsider = browsers.browser_of(make_person(make_unit("Elsewhere")))
    assert "Scan the code" not in outsider.page(f"/events/{players.event}").text
    with time_machine.travel(BEGUN - timedelta(days=1), tick=False):
        day_before = browsers.browser_of(players.second).page(f"/events/{players.event}")
    assert "Scan the code" not in day_before.text
    assert "Night shift" not in day_before.text


def test_a_facilitator_gets_from_the_event_to_all_that_its_day_needs(app, players):
    facilitator = RunningEvent(app, None).browser_of(players.facilitator)

    links = facilitator.page(f"/events/{players.event}").links

    assert links[f"Control: Night shift, {players.run}"] == f"/exercises/{players.run}/control"
    assert links["Places left, and who is needed next"] == "/events/figures"
    for words in ("Register", "Syndicates, door sheets and name cards", "Code for the room", "Sign-off"):
        assert facilitator.get(links[words]).status_code == 200
    assert "Open an exercise at this event" not in links

    press(players.run, players.facilitator, "end")
    links = facilitator.page(f"/events/{players.event}").links
    assert f"Ended: Night shift, {players.run}" in links
    assert "Open an exercise at this event" in links
    open_as(players.facilitator, "event", event_reference=players.event)
    assert "Open an exercise at this event" not in facilitator.page(f"/events/{players.event}").links
