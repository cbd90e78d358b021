"""Finding people, and the page of one."""

from datetime import date

import pytest
import time_machine

from tests.domain.status.facts import make_activity, make_exclusion, make_record
from tests.factories.people import make_grant
from tests.page_reading import words
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import TODAY, enter, make_world

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


def happened(page):
    return [words(entry) for entry in page.all("ol", class_="portal-timeline")[0]]


@pytest.mark.parametrize(
    ("text", "found"),
    [("shah", ["Shah, Priya"]), ("PRIYA Sh", ["Shah, Priya"]), ("d1001", ["Shah, Priya"]), ("zzz", [])],
)
def test_people_are_found_by_name_and_number(client, text, found):
    enter(client, make_world(), "D6001")

    page = client.press(client.page("/people"), "Search", q=text)

    assert page.h1 == f"{len(found)} {'person' if len(found) == 1 else 'people'} found"
    assert [words(head) for head in page.all("th", scope="row")] == found


def test_the_page_of_a_person_says_where_they_stand_and_why(client):
    enter(client, make_world(), "D2001")

    page = client.page("/people/D1001")

    assert page.h1 == "Priya Shah is overdue: 2 of 2 modules to complete, due on 30 April 2026"
    assert "D1001 · Constable · Response, North" in page.text
    assert "Due 30 April 2026, 32 days ago · started on 19 April 2026" in page.text
    assert "Unit Response, North Rank" in page.text
    assert "Local Policing" not in page.text
    assert "Last learned in the portal on 19 April 2026." in page.text
    assert page.links["Daniel Okafor"] == "/people/D2001"
    assert "Account, roles and sign-in" not in page.links


def test_the_page_of_someone_complete_links_to_the_records(client):
    enter(client, make_world(), "D2001")

    page = client.page("/people/N1")

    assert page.h1 == "Siobhan Brennan has completed all 2 modules"
    assert "Completed in another system on 18 April 2026" in page.text
    references = [text for text in page.links if text.startswith("OIC-") and text != "OIC-2026"]
    assert references
    assert all(page.links[text] == f"/records/{text}" for text in references)


def test_the_page_says_when_somebody_last_learned_in_the_portal_and_claims_nothing_of_elsewhere(client):
    world = make_world()
    attended, read = make_activity("event_type"), make_activity("guide")
    make_record(world.people["S1"], attended, date(2026, 5, 30), source="attended")
    enter(client, world, "D6001")

    imported, waits = client.page("/people/N1"), client.page("/people/S1")
    make_record(world.people["S1"], read, date(2026, 5, 20), source="acknowledged")
    reader = client.page("/people/S1")

    assert "Completed in another system on 18 April 2026" in imported.text
    for page in (imported, waits):
        assert "Has not learned in the portal yet." in page.text
        assert "not started anything" not in page.text
    assert "Last learned in the portal on 20 May 2026." in reader.text


def test_an_exempt_person_reads_exempt_with_the_category(client):
    enter(client, make_world(), "D6001")

    page = client.page("/people/S2")

    assert page.h1 == "Elin Parry is exempt"
    assert "Secondment" in page.text


def test_an_exemption_to_come_is_said_at_the_top_and_is_not_among_what_happened(client):
    world = make_world()
    make_exclusion(world.people["D1001"], world.directive, date(2026, 6, 2), date(2026, 6, 30))
    enter(client, world, "D2001")

    page = client.page("/people/D1001")

    sentence = "From 2 June 2026: exempt from OIC-2026: secondment, until 30 June 2026."
    assert page.h1.startswith("Priya Shah is overdue")
    assert page.text.index(sentence) < page.text.index("What is to come") < page.text.index("What happened")
    coming, past = ([words(entry) for entry in one] for one in page.all("ol", class_="portal-timeline"))
    assert [entry for entry in coming if "Exempt" in entry] == coming != []
    assert not any("Exempt" in entry for entry in past)
    assert sentence not in client.page("/people/D1001?as_at=2026-05-31&as_known_on=2026-05-31").text


def test_somebody_of_whom_nothing_is_asked_reads_so(client):
    enter(client, make_world(), "D6001")

    assert client.page("/people/D2002").h1 == "Lena Frost has nothing to complete"


def test_the_timeline_tells_when_it_was_true_and_when_it_was_recorded_where_that_differs(client):
    enter(client, make_world(), "D2002")

    entries = happened(client.page("/people/C1"))

    assert entries[0].startswith("13:00 on 29 April 2026 Completed in another system: x")
    assert entries[0].endswith("Recorded at 10:00 on 10 May 2026.")
    assert any("Assigned OIC-2026, due on 30 April 2026" in entry for entry in entries)
    assert entries[-1].startswith("1 January 2024 Posted to Crime as Constable, role investigation")


def test_a_person_is_shown_at_an_earlier_position(client):
    enter(client, make_world(), "D2002")

    page = client.page("/people/C1?as_at=30+April+2026&as_known_on=30+April+2026")

    assert page.h1 == "Tom O'Brien has 2 of 2 modules to complete by 30 April 2026"
    assert "Position on 30 April 2026, using records entered by that day." in page.text


def test_roles_in_the_portal_are_shown_and_an_administrator_gets_to_the_account(client):
    world = make_world()
    make_grant(world.people["N2"], "administrator")
    enter(client, world, "N2")

    page = client.page("/people/D2002")

    assert "Manager, on Crime, since 1 January 2020" in page.text
    assert page.links["Account, roles and sign-in"] == "/people/D2002/account"


def test_a_long_list_of_people_is_paged_and_asks_no_more(client):
    world = make_world()
    enter(client, world, "D6001")
    with statements() as few:
        client.page("/people")
    for number in range(20):
        world.person(f"X{number:02}", "north", surname="Zed", forenames=f"N{number:02}")
    with statements() as many:
        first = client.page("/people")

    second = client.page(first.links["Next 5"])
    assert len(many) == len(few)
    assert len(first.all("th", scope="row")) == 25
    assert len(second.all("th", scope="row")) == 5
