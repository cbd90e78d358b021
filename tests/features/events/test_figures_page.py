"""The page of figures, and the sentence about events on a manager's overview."""

import pytest

from portal.platform.permissions import Role
from tests.factories.events import make_booking
from tests.factories.people import make_grant, make_person
from tests.features.events.test_figures import Force
from tests.page_reading import words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.monitoring.counting import statements

SENTENCE = "OIC Hydra: 5 of your 8 supervisors attended, 2 booked for 3 March 2027, 1 without a place."


@pytest.fixture
def force(database, time_machine):
    time_machine.move_to("2026-06-01T09:00:00Z")
    made = Force()
    made.attend(*made.people[:5])
    event = made.event()
    for person in made.people[5:7]:
        make_booking(event, person)
    make_grant(make_account("D2009"), Role.MANAGER, made.seen)
    return made


def test_a_manager_reads_it_on_the_overview_and_who_needs_a_place_behind_it(client, force):
    let_in(client, "D2009")
    overview = client.page("/monitoring")
    assert SENTENCE in overview.text

    page = client.page(overview.links["Who needs a place, and which are free"])

    assert SENTENCE in page.text
    assert "The next syndicate lacks 2 people to begin, 5 to be full." in page.text
    (needed,) = [each for each in page.all("table") if "People who need a place" in words(each)]
    assert "Seen 7, Priya" in words(needed)
    assert "Seen 6" not in words(needed)
    assert "Unseen" not in page.text
    assert "Assurance" not in page.text


def test_whoever_sees_the_board_is_told_why_its_figure_is_another(client, force):
    make_grant(make_account("D4009"), Role.DIRECTIVE_OWNER)
    let_in(client, "D4009")

    page = client.page("/events/figures")

    assert "Assurance also counts people whom no directive asks: everybody with a post" in page.text
    assert "in the group that the evidence is about." in page.text
    assert client.page(page.links["Assurance"]).status == 200


def test_a_facilitator_reads_places_how_many_need_one_and_nobodys_name(client, force):
    make_grant(make_account("D5009"), Role.FACILITATOR)
    let_in(client, "D5009")

    page = client.page("/events/figures")

    (places,) = [each for each in page.all("table") if "Coming events" in words(each)]
    assert "EV-0001" in words(places)
    assert "OIC Hydra: 5 of 12 people attended" in page.text  # of the whole force
    (needed,) = [each for each in page.all("table") if "need a place" in words(each)]
    assert "response 5" in words(needed).lower()
    assert "Seen" not in page.text


def test_many_people_need_as_many_statements_as_few(client, force):
    let_in(client, "D2009")
    counts = []
    for added in (0, 18):
        for number in range(added):
            make_person(force.seen, surname=f"More {number}", rank="Sergeant")
            force.event()
        client.page("/events/figures")
        with statements() as seen:
            client.page("/events/figures")
        counts.append(len(seen))

    assert counts[0] == counts[1]
